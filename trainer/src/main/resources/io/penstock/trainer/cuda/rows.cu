// The begin and the end of a step, and the choice of rows.
#include "penstock.cuh"

// Reads the slot's header. One thread.
extern "C" __global__ void beginStep(const char* slot, Step* step) {
  *step = begun(slot);
}

// Counts the step. One thread.
extern "C" __global__ void endStep(Step* step) {
  counters(step)[step->status == APPLIED ? STEPS_APPLIED : STEPS_SKIPPED]++;
}

// Features of rows that weigh nothing, and of what is no row, become 0: 0 * NaN is NaN. x: rows; y: lines.
extern "C" __global__ void selectRows(
    float* features, long long stride, int lines, const float* weights, int capacity, const Step* step) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity || (row < step->rows && weights[row] != 0)) {
    return;
  }
  for (int line = blockIdx.y; line < lines; line += gridDim.y) {
    features[line * stride + row] = 0;
  }
}

static __device__ inline void clear(float* lines, long long stride, int count, int row) {
  for (int line = blockIdx.y; line < count; line += gridDim.y) {
    lines[line * stride + row] = 0;
  }
}

// What is no row becomes 0 in the two factors of a sum over rows. x: rows; y: lines.
extern "C" __global__ void clearPadding(
    float* a, long long aStride, int aLines, float* b, long long bStride, int bLines, int capacity, const Step* step) {
  int row = blockIdx.x * THREADS + threadIdx.x;
  if (row >= capacity || row < step->rows) {
    return;
  }
  clear(a, aStride, aLines, row);
  clear(b, bStride, bLines, row);
}
