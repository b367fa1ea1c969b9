// Losses with their gradients and predictions, a thread a row.
#include "losses.cuh"

extern "C" __global__ void softmaxCrossEntropy(
    float* z, long long stride, int classes, const float* labels, const float* weights, float* losses, float* predictions,
    float* scores, int capacity, const Step* step) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  if (row >= step->rows) {
    for (int c = 0; c < classes; c++) {
      z[c * stride + row] = 0;
    }
    losses[row] = 0;
    predictions[row] = 0;
    scores[row] = 0;
    return;
  }
  RowLoss found = softmaxOfRow(z + row, stride, classes, (int)labels[row], shareOf(weights, row, step));
  losses[row] = found.loss;
  predictions[row] = found.prediction;
  scores[row] = found.score;
}

static __device__ inline void lossOfOneOutput(
    int loss, float* z, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int capacity,
    const Step* step, float number) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  RowLoss found = lossOfRow(loss, z[row], row < step->rows ? labels[row] : 0, number);
  losses[row] = found.loss;
  predictions[row] = found.prediction;
  scores[row] = found.score;
  z[row] = weighed(found.slope, shareOf(weights, row, step));
}

extern "C" __global__ void sigmoidCrossEntropy(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int capacity,
    const Step* step) {
  lossOfOneOutput(SIGMOID_CROSS_ENTROPY, z, labels, weights, losses, predictions, scores, capacity, step, 0);
}

extern "C" __global__ void squaredError(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int capacity,
    const Step* step) {
  lossOfOneOutput(SQUARED_ERROR, z, labels, weights, losses, predictions, scores, capacity, step, 0);
}

extern "C" __global__ void huber(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int capacity,
    const Step* step, float delta) {
  lossOfOneOutput(HUBER, z, labels, weights, losses, predictions, scores, capacity, step, delta);
}

extern "C" __global__ void quantile(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int capacity,
    const Step* step, float tau) {
  lossOfOneOutput(QUANTILE, z, labels, weights, losses, predictions, scores, capacity, step, tau);
}
