// Losses of a row, with gradient and prediction.
#pragma once
#include "penstock.cuh"

// Loss, as Codes.java has it.
#define SOFTMAX_CROSS_ENTROPY 0
#define SIGMOID_CROSS_ENTROPY 1
#define SQUARED_ERROR 2
#define HUBER 3
#define QUANTILE 4

// The share of a row in the gradient: weight / sum of weights. A row without weight, or what is no row, does not count: its gradient
// is 0 whatever stands there: selected, not multiplied.
struct Share {
  bool counts;
  float share;
};

static __device__ inline Share shareOf(const float* weights, int row, const Step* step) {
  bool counts = row < step->rows && weights[row] != 0;
  return {counts, counts ? weights[row] * step->inverseWeightSum : 0};
}

// Of a row; slope is that of the loss by the one output.
struct RowLoss {
  float loss;
  float prediction;
  float slope;
  float score;  // how sure the model is, as KernelCall.LossRows has it
};

static __device__ inline float weighed(float slope, Share share) {
  return share.counts ? slope * share.share : 0;
}

// loss = ln(sum of e^z) - z of the true class; gradient = p - 1 of the true class, p of the others, in the outputs' place.
// The score of two classes is z of the second less that of the first, of more the largest p.
static __device__ inline RowLoss softmaxOfRow(float* z, long long stride, int classes, int label, Share share) {
  float best = z[0];
  int winner = 0;
  for (int c = 1; c < classes; c++) {
    float output = z[c * stride];
    if (best < output) {
      best = output;
      winner = c;
    }
  }
  float logOdds = z[(classes - 1) * stride] - z[0];
  float sum = 0;
  float own = 0;
  for (int c = 0; c < classes; c++) {
    float below = z[c * stride] - best;
    own = c == label ? below : own;
    float e = expf(below);
    sum += e;
    z[c * stride] = e;
  }
  float part = share.share / sum;
  for (int c = 0; c < classes; c++) {
    float gradient = z[c * stride] * part - (c == label ? share.share : 0);
    z[c * stride] = share.counts ? gradient : 0;
  }
  return {logf(sum) - own, (float)winner, 0, classes == 2 ? logOdds : 1 / sum};
}

// loss = max(z, 0) - z y + ln(1 + e^-|z|); slope = sigmoid(z) - y; class 1 where z > 0; the score is z.
static __device__ inline RowLoss sigmoidOfRow(float z, float label) {
  float e = expf(-fabsf(z));
  return {
      (z < 0 ? 0 : z) - z * label + log1pf(e), z > 0 ? 1.0f : 0.0f, (z < 0 ? e : 1.0f) / (1 + e) - label,
      z};
}

// loss = (z - y)^2 / 2
static __device__ inline RowLoss squaredOfRow(float z, float label) {
  float error = z - label;
  return {error * error * 0.5f, z, error, 0};
}

// loss = (z - y)^2 / 2 up to |z - y| = delta, delta (|z - y| - delta / 2) beyond
static __device__ inline RowLoss huberOfRow(float z, float label, float delta) {
  float error = z - label;
  float size = fabsf(error);
  bool far = delta < size;
  return {
      far ? delta * (size - 0.5f * delta) : error * error * 0.5f, z, far ? (error < 0 ? -delta : delta) : error, 0};
}

// With d = y - z: loss = max(tau d, (tau - 1) d); slope -tau above, 1 - tau below, 1/2 - tau at 0.
static __device__ inline RowLoss quantileOfRow(float z, float label, float tau) {
  float missing = label - z;
  return {
      missing >= 0 ? tau * missing : (tau - 1) * missing, z, missing > 0 ? -tau : missing == 0 ? 0.5f - tau : 1 - tau,
      0};
}

// Any loss of one output; `number` is delta or tau.
static __device__ inline RowLoss lossOfRow(int loss, float z, float label, float number) {
  switch (loss) {
    case SIGMOID_CROSS_ENTROPY: return sigmoidOfRow(z, label);
    case HUBER: return huberOfRow(z, label, number);
    case QUANTILE: return quantileOfRow(z, label, number);
    default: return squaredOfRow(z, label);
  }
}
