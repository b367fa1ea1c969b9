// Activations a = f(z) with the bias of each line, and delta = delta * f' with the bias gradient. cuBLASLt adds a bias along the
// other side of a feature-major matrix, so that this is a kernel of its own.
#include "penstock.cuh"

// Activation, as Plan.java has it.
#define IDENTITY 0
#define RELU 1
#define GELU 2
#define SILU 3
#define TANH 4
#define SIGMOID 5

static __device__ inline float sigmoidOf(float z) {
  float e = expf(-fabsf(z));
  return (z < 0 ? e : 1.0f) / (1 + e);
}

// 2u = 2 sqrt(2/pi) (z + 0.044715 z^3)
static __device__ inline float geluArgument(float z) {
  return 2 * 0.7978846f * z * (1 + 0.044715f * z * z);
}

// max(NaN, 0) is 0 in C, but a sum that is no number must be found.
static __device__ inline float reluOf(float z) {
  return z < 0 ? 0 : z;
}

static __device__ inline float activate(int activation, float z) {
  switch (activation) {
    case RELU: return reluOf(z);
    case GELU: return z * sigmoidOf(geluArgument(z));
    case SILU: return z * sigmoidOf(z);
    case TANH: return tanhf(z);
    case SIGMOID: return sigmoidOf(z);
    default: return z;
  }
}

// x is the output, for GELU and SiLU the input.
static __device__ inline float slope(int activation, float x) {
  switch (activation) {
    case RELU: return x > 0 ? 1 : 0;
    case GELU: {
      float s = sigmoidOf(geluArgument(x));
      return s + x * s * (1 - s) * (2 * 0.7978846f * (1 + 3 * 0.044715f * x * x));
    }
    case SILU: {
      float s = sigmoidOf(x);
      return s + x * s * (1 - s);
    }
    case TANH: return 1 - x * x;
    case SIGMOID: return x * (1 - x);
    default: return 1;
  }
}

// a = activation(z + bias), and z = z + bias where z is another matrix. No bias is null. x: columns; y: lines.
extern "C" __global__ void biasActivation(
    float* z, float* a, long long zStride, long long aStride, int lines, int columns, const float* bias, int activation) {
  int column = blockIdx.x * THREADS + threadIdx.x;
  if (column >= columns) {
    return;
  }
  for (int line = blockIdx.y; line < lines; line += gridDim.y) {
    float sum = z[line * zStride + column];
    if (bias != nullptr) {
      sum += bias[line];
      if (z != a) {
        z[line * zStride + column] = sum;
      }
    }
    a[line * aStride + column] = activate(activation, sum);
  }
}

// delta = delta * f'; bias gradient = sum of each line over the real rows. What is no row becomes 0. A block a line.
extern "C" __global__ void activationGradient(
    float* delta, long long stride, const float* operand, long long operandStride, int capacity, float* biasGradient,
    int activation, const Step* step) {
  __shared__ float shared[THREADS];
  long long line = blockIdx.x;
  float sum = 0;
  for (int row = threadIdx.x; row < capacity; row += THREADS) {
    float d = 0;
    if (row < step->rows) {
      d = delta[line * stride + row];
      if (operand != nullptr) {
        d *= slope(activation, operand[line * operandStride + row]);
      }
    }
    delta[line * stride + row] = d;
    sum += d;
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0) {
    biasGradient[line] = sum;
  }
}
