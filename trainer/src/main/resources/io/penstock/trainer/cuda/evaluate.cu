#include "evaluate.cuh"

// One block.
extern "C" __global__ void evaluate(
    const float* labels, const float* weights, const float* losses, const float* predictions, const float* scores, Step* step,
    int classes, const double* growths, const double* edges) {
  evaluateRows(labels, weights, losses, predictions, scores, step, classes, growths, edges);
}
