// Whether loss and gradient are finite and the loss is no spike, the gradient's norm, and updates. They leave everything as it is
// unless the step is to be applied.
#include "optimizers.cuh"

// Sums of squares of parts of the gradient, in doubles, in which no square of a float overflows: infinite or NaN only where a
// value is.
extern "C" __global__ void squaresOfGradient(const float* gradient, int size, double* partials) {
  __shared__ double shared[THREADS];
  double sum = 0;
  for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < size; i += (long long)gridDim.x * THREADS) {
    double g = gradient[i];
    sum = fma(g, g, sum);
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0) {
    partials[blockIdx.x] = sum;
  }
}

// Decides. One block.
extern "C" __global__ void checkGradient(const double* partials, int count, float clipNorm, double lossSpike, Step* step) {
  __shared__ double shared[THREADS];
  double sum = sumOfPartials(partials, count, shared);
  if (threadIdx.x == 0) {
    step->lossBound = lossBoundOf(step, lossSpike);
    step->status = statusOf(sum, step);
    step->scale = scaleOf(sum, clipNorm);
    if (hasFiniteLossAndGradient(step->status)) {
      countLoss(step);
    }
  }
}

// Powers and bias corrections of Adam. One thread.
extern "C" __global__ void adamFactors(double rate, double beta1, double beta2, Step* step) {
  if (step->status != APPLIED) {
    return;
  }
  double power1 = values(step)[BETA1_POWER] * beta1;
  double power2 = values(step)[BETA2_POWER] * beta2;
  values(step)[BETA1_POWER] = power1;
  values(step)[BETA2_POWER] = power2;
  correct(step, rate, power1, power2);
}

#define FOR_EACH_PARAMETER                                                                     \
  if (step->status != APPLIED) {                                                               \
    return;                                                                                    \
  }                                                                                            \
  float scale = step->scale;                                                                   \
  for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < size;                  \
       i += (long long)gridDim.x * THREADS)

extern "C" __global__ void sgd(float* w, const float* g, int size, const Step* step, float rate) {
  FOR_EACH_PARAMETER {
    sgdOf(w[i], g[i], scale, rate);
  }
}

extern "C" __global__ void momentum(
    float* w, const float* g, float* m, int size, const Step* step, float rate, float momentum) {
  FOR_EACH_PARAMETER {
    momentumOf(w[i], g[i] * scale, m[i], rate, momentum);
  }
}

extern "C" __global__ void nesterov(
    float* w, const float* g, float* m, int size, const Step* step, float rate, float momentum) {
  FOR_EACH_PARAMETER {
    nesterovOf(w[i], g[i] * scale, m[i], rate, momentum);
  }
}

extern "C" __global__ void adagrad(
    float* w, const float* g, float* v, int size, const Step* step, float rate, float epsilon) {
  FOR_EACH_PARAMETER {
    adagradOf(w[i], g[i] * scale, v[i], rate, epsilon);
  }
}

extern "C" __global__ void rmsProp(
    float* w, const float* g, float* v, int size, const Step* step, float rate, float decay, float rest, float epsilon) {
  FOR_EACH_PARAMETER {
    rmsPropOf(w[i], g[i] * scale, v[i], rate, decay, rest, epsilon);
  }
}

extern "C" __global__ void adam(
    float* w, const float* g, float* m, float* v, int size, const Step* step, float beta1, float rest1, float beta2,
    float rest2, float epsilon, float shrink) {
  FOR_EACH_PARAMETER {
    adamOf(w[i], g[i] * scale, m[i], v[i], step->rate, step->root, beta1, rest1, beta2, rest2, epsilon, shrink);
  }
}
