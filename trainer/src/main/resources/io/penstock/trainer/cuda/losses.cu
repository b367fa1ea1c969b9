// Losses with their gradients and predictions, a thread a row. The gradient of a row is weighted by weight / sum of weights; that
// of a row without weight, and of what is no row, is 0 whatever stands there: selected, not multiplied.
#include "penstock.cuh"

static __device__ inline bool counts(const float* weights, int row, const Step* step) {
  return row < step->rows && weights[row] != 0;
}

static __device__ inline float weighed(float slope, const float* weights, int row, const Step* step) {
  return counts(weights, row, step) ? slope * (weights[row] * step->inverseWeightSum) : 0;
}

// loss = ln(sum of e^z) - z of the true class; gradient = p - 1 of the true class, p of the others.
extern "C" __global__ void softmaxCrossEntropy(
    float* z, long long stride, int classes, const float* labels, const float* weights, float* losses, float* predictions,
    int capacity, const Step* step) {
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
    return;
  }
  float best = z[row];
  int winner = 0;
  for (int c = 1; c < classes; c++) {
    float output = z[c * stride + row];
    if (best < output) {
      best = output;
      winner = c;
    }
  }
  int label = (int)labels[row];
  float sum = 0;
  float own = 0;
  for (int c = 0; c < classes; c++) {
    float below = z[c * stride + row] - best;
    own = c == label ? below : own;
    float e = expf(below);
    sum += e;
    z[c * stride + row] = e;
  }
  losses[row] = logf(sum) - own;
  predictions[row] = (float)winner;
  bool weighs = counts(weights, row, step);
  float scale = weighs ? weights[row] * step->inverseWeightSum : 0;
  float share = scale / sum;
  for (int c = 0; c < classes; c++) {
    float gradient = z[c * stride + row] * share - (c == label ? scale : 0);
    z[c * stride + row] = weighs ? gradient : 0;
  }
}

// loss = max(z, 0) - z y + ln(1 + e^-|z|); slope = sigmoid(z) - y; class 1 where z > 0.
extern "C" __global__ void sigmoidCrossEntropy(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, int capacity,
    const Step* step) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  float output = z[row];
  float label = row < step->rows ? labels[row] : 0;
  float e = expf(-fabsf(output));
  losses[row] = (output < 0 ? 0 : output) - output * label + log1pf(e);
  predictions[row] = output > 0 ? 1 : 0;
  z[row] = weighed((output < 0 ? e : 1.0f) / (1 + e) - label, weights, row, step);
}

// loss = (z - y)^2 / 2
extern "C" __global__ void squaredError(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, int capacity,
    const Step* step) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  float error = z[row] - (row < step->rows ? labels[row] : 0);
  losses[row] = error * error * 0.5f;
  predictions[row] = z[row];
  z[row] = weighed(error, weights, row, step);
}

// loss = (z - y)^2 / 2 up to |z - y| = delta, delta (|z - y| - delta / 2) beyond
extern "C" __global__ void huber(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, int capacity,
    const Step* step, float delta) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  float error = z[row] - (row < step->rows ? labels[row] : 0);
  float size = fabsf(error);
  bool far = delta < size;
  losses[row] = far ? delta * (size - 0.5f * delta) : error * error * 0.5f;
  predictions[row] = z[row];
  z[row] = weighed(far ? (error < 0 ? -delta : delta) : error, weights, row, step);
}

// With d = y - z: loss = max(tau d, (tau - 1) d); slope -tau above, 1 - tau below, 1/2 - tau at 0.
extern "C" __global__ void quantile(
    float* z, const float* labels, const float* weights, float* losses, float* predictions, int capacity,
    const Step* step, float tau) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity) {
    return;
  }
  float missing = (row < step->rows ? labels[row] : 0) - z[row];
  losses[row] = missing >= 0 ? tau * missing : (tau - 1) * missing;
  predictions[row] = z[row];
  z[row] = weighed(missing > 0 ? -tau : missing == 0 ? 0.5f - tau : 1 - tau, weights, row, step);
}
