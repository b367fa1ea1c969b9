// Whether loss and gradient are finite, the gradient's norm, and updates by the rules and names of PyTorch. Updates leave
// everything as it is unless the step is to be applied.
#include "penstock.cuh"

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

// Decides. One block. No bound is 0; scale as PyTorch's clip_grad_norm_.
extern "C" __global__ void checkGradient(const double* partials, int count, float clipNorm, Step* step) {
  __shared__ double shared[THREADS];
  double sum = 0;
  for (int i = threadIdx.x; i < count; i += THREADS) {
    sum += partials[i];
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0 && step->status != WEIGHTLESS) {
    step->status = isFinite(sum) && isFinite(step->loss) ? APPLIED : NOT_FINITE;
    double factor = clipNorm / (sqrt(sum) + 1e-6);
    step->scale = clipNorm > 0 && factor < 1 ? (float)factor : 1;
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
  step->rate = (float)(rate / (1 - power1));
  step->root = (float)(1 / sqrt(1 - power2));
}

#define FOR_EACH_PARAMETER                                                                     \
  if (step->status != APPLIED) {                                                               \
    return;                                                                                    \
  }                                                                                            \
  float scale = step->scale;                                                                   \
  for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < size;                  \
       i += (long long)gridDim.x * THREADS)

// w -= rate g
extern "C" __global__ void sgd(float* w, const float* g, int size, const Step* step, float rate) {
  FOR_EACH_PARAMETER {
    w[i] = fmaf(g[i], -rate * scale, w[i]);
  }
}

// m = momentum m + g; w -= rate m
extern "C" __global__ void momentum(
    float* w, const float* g, float* m, int size, const Step* step, float rate, float momentum) {
  FOR_EACH_PARAMETER {
    float mean = fmaf(m[i], momentum, g[i] * scale);
    m[i] = mean;
    w[i] = fmaf(mean, -rate, w[i]);
  }
}

// m = momentum m + g; w -= rate (g + momentum m)
extern "C" __global__ void nesterov(
    float* w, const float* g, float* m, int size, const Step* step, float rate, float momentum) {
  FOR_EACH_PARAMETER {
    float gradient = g[i] * scale;
    float mean = fmaf(m[i], momentum, gradient);
    m[i] = mean;
    w[i] = fmaf(fmaf(mean, momentum, gradient), -rate, w[i]);
  }
}

// v += g^2; w -= rate g / (sqrt(v) + epsilon)
extern "C" __global__ void adagrad(
    float* w, const float* g, float* v, int size, const Step* step, float rate, float epsilon) {
  FOR_EACH_PARAMETER {
    float gradient = g[i] * scale;
    float squares = fmaf(gradient, gradient, v[i]);
    v[i] = squares;
    w[i] -= gradient * rate / (sqrtf(squares) + epsilon);
  }
}

// v = decay v + rest g^2; w -= rate g / (sqrt(v) + epsilon)
extern "C" __global__ void rmsProp(
    float* w, const float* g, float* v, int size, const Step* step, float rate, float decay, float rest, float epsilon) {
  FOR_EACH_PARAMETER {
    float gradient = g[i] * scale;
    float squares = fmaf(v[i], decay, gradient * gradient * rest);
    v[i] = squares;
    w[i] -= gradient * rate / (sqrtf(squares) + epsilon);
  }
}

// m = beta1 m + rest1 g; v = beta2 v + rest2 g^2; w = shrink w - rate m / (sqrt(v) root + epsilon)
// (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)
extern "C" __global__ void adam(
    float* w, const float* g, float* m, float* v, int size, const Step* step, float beta1, float rest1, float beta2,
    float rest2, float epsilon, float shrink) {
  FOR_EACH_PARAMETER {
    float gradient = g[i] * scale;
    float mean = fmaf(m[i], beta1, gradient * rest1);
    float squares = fmaf(v[i], beta2, gradient * gradient * rest2);
    m[i] = mean;
    v[i] = squares;
    w[i] = w[i] * shrink - mean * step->rate / fmaf(sqrtf(squares), step->root, epsilon);
  }
}
