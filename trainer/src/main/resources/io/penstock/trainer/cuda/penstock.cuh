// What all kernels share. Compiled by NVRTC (no standard headers), by nvcc, and as C++ by the emulator of the tests.
//
// A matrix is feature-major: line i holds a value for each row of the minibatch, `stride` floats from line to line. Launches
// depend on the capacity alone, so that they can be captured once; how many rows are real is in Step, on the device.
//
// Results are equal to the bit on one GPU: no atomics, sums by fixed trees whose form depends on shapes alone.
#pragma once

#define THREADS 256

// Shared memory whose size the launch says; the emulator has its own.
#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#endif

// StepResult.Status, by ordinal.
#define APPLIED 0
#define NOT_FINITE 1
#define WEIGHTLESS 2
#define SPIKE 3

// What kernels of one step share; StepRecord.java has the same offsets. The training state lies behind it.
struct Step {
  double loss;             // sum of weight * loss over the sum of weights
  double weightSum;
  long long sequence;
  int rows;                // real rows
  int status;
  float inverseWeightSum;  // 0 where the step is weightless, so that nothing becomes infinite
  float scale;             // brings the gradient within its bound
  float rate;              // of Adam: learning rate / (1 - beta1^t)
  float root;              // of Adam: 1 / sqrt(1 - beta2^t)
  double lossBound;        // beyond which a loss is a spike
};

// The counters of TrainingState lie here, its doubles behind them.
#define STATE_BYTES_OFFSET 64

static_assert(sizeof(Step) <= STATE_BYTES_OFFSET, "the training state lies behind the step");

static __device__ inline long long* counters(Step* step) {
  return (long long*)((char*)step + STATE_BYTES_OFFSET);
}

static __device__ inline double* values(Step* step) {
  return (double*)((char*)step + STATE_BYTES_OFFSET + COUNTERS * sizeof(long long));
}

static __device__ inline bool isFinite(double x) {
  return x - x == 0;
}

// Whether a minibatch of these weights can be learned from.
static __device__ inline bool weighs(double weightSum) {
  return weightSum > 0 && isFinite(weightSum);
}

// A step as its slot's header begins it.
static __device__ inline Step begun(const char* slot) {
  Step step;
  step.weightSum = *(const double*)(slot + SLOT_WEIGHT_SUM);
  step.loss = __longlong_as_double(0x7ff8000000000000LL);
  step.sequence = *(const long long*)(slot + SLOT_SEQUENCE);
  step.rows = *(const int*)(slot + SLOT_VALID_ROWS);
  step.status = weighs(step.weightSum) ? APPLIED : WEIGHTLESS;
  step.inverseWeightSum = weighs(step.weightSum) ? (float)(1 / step.weightSum) : 0.0f;
  step.scale = 1;
  step.rate = 0;
  step.root = 0;
  step.lossBound = 0;
  return step;
}

// Sum over the block's threads, by a fixed tree: LANES sums of every LANES-th value, then their sum. All threads must call it, and
// all get the sum.
#define LANES 16

template <typename T>
static __device__ inline T blockSum(T value, T* shared) {
  int t = threadIdx.x;
  __syncthreads();
  shared[t] = value;
  __syncthreads();
  if (t < LANES) {
    T sum = value;
    for (int i = t + LANES; i < THREADS; i += LANES) {
      sum += shared[i];
    }
    shared[t] = sum;
  }
  __syncthreads();
  if (t == 0) {
    T sum = shared[0];
    for (int i = 1; i < LANES; i++) {
      sum += shared[i];
    }
    shared[0] = sum;
  }
  __syncthreads();
  return shared[0];
}
