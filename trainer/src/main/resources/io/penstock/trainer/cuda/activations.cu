// Activations a = f(z) with the bias of each line, and delta = delta * f' with the bias gradient. cuBLASLt adds a bias along the
// other side of a feature-major matrix, so that this is a kernel of its own.
#include "activations.cuh"

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
