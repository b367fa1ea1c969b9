#include "evaluate.cuh"

// One block.
extern "C" __global__ void evaluate(
    const float* labels, const float* weights, const float* losses, const float* predictions, Step* step, int classes,
    const double* fades) {
  evaluateRows(labels, weights, losses, predictions, step, classes, fades);
}
