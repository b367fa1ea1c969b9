// Updates of one parameter, by the rules and names of PyTorch; g is the gradient within its bound.
#pragma once
#include "spikes.cuh"

// Rule, as Codes.java has it.
#define SGD 0
#define MOMENTUM 1
#define NESTEROV 2
#define ADAGRAD 3
#define RMS_PROP 4
#define ADAM 5

// The numbers of a rule, in the order of its function's last parameters.
struct Numbers {
  float number[6];
};

// w -= rate g
static __device__ inline void sgdOf(float& w, float g, float scale, float rate) {
  w = fmaf(g, -rate * scale, w);
}

// m = momentum m + g; w -= rate m
static __device__ inline void momentumOf(float& w, float g, float& m, float rate, float momentum) {
  m = fmaf(m, momentum, g);
  w = fmaf(m, -rate, w);
}

// m = momentum m + g; w -= rate (g + momentum m)
static __device__ inline void nesterovOf(float& w, float g, float& m, float rate, float momentum) {
  m = fmaf(m, momentum, g);
  w = fmaf(fmaf(m, momentum, g), -rate, w);
}

// v += g^2; w -= rate g / (sqrt(v) + epsilon)
static __device__ inline void adagradOf(float& w, float g, float& v, float rate, float epsilon) {
  v = fmaf(g, g, v);
  w -= g * rate / (sqrtf(v) + epsilon);
}

// v = decay v + rest g^2; w -= rate g / (sqrt(v) + epsilon)
static __device__ inline void rmsPropOf(float& w, float g, float& v, float rate, float decay, float rest, float epsilon) {
  v = fmaf(v, decay, g * g * rest);
  w -= g * rate / (sqrtf(v) + epsilon);
}

// m = beta1 m + rest1 g; v = beta2 v + rest2 g^2; w = shrink w - rate m / (sqrt(v) root + epsilon)
// (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)
static __device__ inline void adamOf(
    float& w, float g, float& m, float& v, float rate, float root, float beta1, float rest1, float beta2, float rest2,
    float epsilon, float shrink) {
  m = fmaf(m, beta1, g * rest1);
  v = fmaf(v, beta2, g * g * rest2);
  w = w * shrink - m * rate / fmaf(sqrtf(v), root, epsilon);
}

// Any rule. m and v are the first and second buffer that it remembers things in.
static __device__ inline void updateOf(
    int rule, float& w, float gradient, float scale, float* m, float* v, const Step* step, const Numbers& numbers) {
  const float* n = numbers.number;
  float g = gradient * scale;
  switch (rule) {
    case SGD: sgdOf(w, gradient, scale, n[0]); break;
    case MOMENTUM: momentumOf(w, g, *m, n[0], n[1]); break;
    case NESTEROV: nesterovOf(w, g, *m, n[0], n[1]); break;
    case ADAGRAD: adagradOf(w, g, *m, n[0], n[1]); break;
    case RMS_PROP: rmsPropOf(w, g, *m, n[0], n[1], n[2], n[3]); break;
    default: adamOf(w, g, *m, *v, step->rate, step->root, n[0], n[1], n[2], n[3], n[4], n[5]);
  }
}

// Sum of the squares' sums; all threads must call it.
static __device__ inline double sumOfPartials(const double* partials, int count, double* shared) {
  double sum = 0;
  for (int i = threadIdx.x; i < count; i += THREADS) {
    sum += partials[i];
  }
  return blockSum(sum, shared);
}

// What becomes of a step whose gradient's squares have this sum.
static __device__ inline int statusOf(double squares, const Step* step) {
  if (!weighs(step->weightSum)) {
    return WEIGHTLESS;
  }
  if (!isFinite(squares) || !isFinite(step->loss)) {
    return NOT_FINITE;
  }
  return step->loss > step->lossBound ? SPIKE : APPLIED;
}

// Whether the step has a loss that counts.
static __device__ inline bool hasFiniteLossAndGradient(int status) {
  return status == APPLIED || status == SPIKE;
}

// As PyTorch's clip_grad_norm_; no bound is 0.
static __device__ inline float scaleOf(double squares, float clipNorm) {
  double factor = clipNorm / (sqrt(squares) + 1e-6);
  return clipNorm > 0 && factor < 1 ? (float)factor : 1;
}

// Bias corrections of Adam, of powers that include this step's.
static __device__ inline void correct(Step* step, double rate, double power1, double power2) {
  step->rate = (float)(rate / (1 - power1));
  step->root = (float)(1 / sqrt(1 - power2));
}
