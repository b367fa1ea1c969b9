// The loss of the minibatch, and prequential metrics: what Prequential.java does row after row, a chunk of rows at a time.
#pragma once
#include "penstock.cuh"

#define NONE (-1)

// Adds to a sum over all rows, and to the fading one.
static __device__ inline void add(double* all, double* fading, int sum, double value, double faded) {
  all[sum] += value;
  fading[sum] += faded;
}

// Up to TERMS sums over the block's threads at once, of what each has written into its column of `terms`. All threads must call it;
// of the first `count` threads each gets one sum.
#define TERMS 12

static __device__ inline double blockSums(double (*terms)[THREADS], int count) {
  __shared__ double lanes[TERMS][LANES];
  int term = threadIdx.x / LANES;
  int lane = threadIdx.x % LANES;
  __syncthreads();
  if (term < count) {
    double sum = 0;
    for (int i = lane; i < THREADS; i += LANES) {
      sum += terms[term][i];
    }
    lanes[term][lane] = sum;
  }
  __syncthreads();
  double sum = 0;
  for (int i = 0; (int)threadIdx.x < count && i < LANES; i++) {
    sum += lanes[threadIdx.x][i];
  }
  return sum;
}

// The place of a pair of sums, over all rows and fading, in the order in which evaluateRows has them.
static __device__ inline int placeOf(int pair, int classes) {
  switch (pair) {
    case 0: return SUM_ROWS;
    case 1: return SUM_LOSS;
    case 2: return classes == 0 ? SUM_ABSOLUTE_ERROR : SUM_LOG_LOSS;
    case 3: return classes == 0 ? SUM_SQUARED_ERROR : SUM_CORRECT;
    case 4: return SUM_NO_CHANGE_CORRECT;
    default: return SUM_MAJORITY_CORRECT;
  }
}

static __device__ inline void put(double (*terms)[THREADS], int pair, double value, double weight) {
  terms[2 * pair][threadIdx.x] = value;
  terms[2 * pair + 1][threadIdx.x] = value * weight;
}

// One block. `fades` has the powers of the fade: what a row weighs that so many rows follow.
//
// The majority class before each row needs the counts of all rows before it. It changes where a count exceeds the largest so far,
// so that it is the class of the last row whose own count did: a scan whose operator keeps the larger count, of two equal ones the
// earlier.
static __device__ inline void evaluateRows(
    const float* labels, const float* weights, const float* losses, const float* predictions, Step* step, int classes,
    const double* fades) {
  __shared__ double shared[THREADS];
  __shared__ double terms[TERMS][THREADS];
  __shared__ double faded[THREADS];
  __shared__ int actual[THREADS];
  __shared__ int predicted[THREADS];
  __shared__ int rank[THREADS];
  __shared__ long long count[THREADS];
  __shared__ int holder[THREADS];
  int t = threadIdx.x;
  int rows = step->rows;
  bool weightless = step->status == WEIGHTLESS;
  __syncthreads();
  if (weightless) {
    return;
  }

  double weightedLoss = 0;
  double present = 0;
  for (int row = t; row < rows; row += THREADS) {
    if (weights[row] != 0) {
      weightedLoss = fma((double)weights[row], (double)losses[row], weightedLoss);
      present += 1;
    }
  }
  double loss = blockSum(weightedLoss, shared) / step->weightSum;
  int counted = (int)blockSum(present, shared);
  if (t == 0) {
    step->loss = loss;
  }
  if (!isFinite(loss)) {
    return;
  }

  double* all = values(step) + SUMS;
  int sums = SUM_ACTUAL + 2 * classes;
  double* fading = all + sums;
  for (int i = t; i < sums; i += THREADS) {
    fading[i] *= fades[counted];
  }
  __syncthreads();

  int before = 0;
  for (int base = 0; base < rows; base += THREADS) {
    int row = base + t;
    bool counts = row < rows && weights[row] != 0;
    // Rows of this chunk that count, up to this one.
    rank[t] = counts ? 1 : 0;
    __syncthreads();
    for (int reach = 1; reach < THREADS; reach *= 2) {
      int left = t >= reach ? rank[t - reach] : 0;
      __syncthreads();
      rank[t] += left;
      __syncthreads();
    }
    int chunk = rank[THREADS - 1];
    double weight = counts ? fades[counted - before - rank[t]] : 0;
    double loss32 = counts ? losses[row] : 0;
    put(terms, 0, counts ? 1 : 0, weight);
    put(terms, 1, loss32, weight);
    if (classes == 0) {
      double error = counts ? (double)predictions[row] - labels[row] : 0;
      put(terms, 2, fabs(error), weight);
      put(terms, 3, error * error, weight);
      double sum = blockSums(terms, 8);
      if (t < 8) {
        (t % 2 == 0 ? all : fading)[placeOf(t / 2, classes)] += sum;
      }
      before += chunk;
      __syncthreads();
      continue;
    }

    put(terms, 2, loss32 < MAX_LOG_LOSS ? loss32 : MAX_LOG_LOSS, weight);
    actual[t] = counts ? (int)labels[row] : NONE;
    predicted[t] = counts ? (int)predictions[row] : NONE;
    faded[t] = weight;
    __syncthreads();

    // The class of the counted row before this one, and this row's own count of its class.
    int previous = (int)counters(step)[PREVIOUS_CLASS];
    int same = 0;
    int here = rows - base < THREADS ? rows - base : THREADS;
    for (int i = 0; i < t && i < here; i++) {
      previous = actual[i] != NONE ? actual[i] : previous;
      same += actual[i] == actual[t] ? 1 : 0;
    }
    int majority = (int)counters(step)[MAJORITY_CLASS];
    long long most = majority == NONE ? 0 : (long long)all[SUM_ACTUAL + majority];
    long long own = counts ? (long long)all[SUM_ACTUAL + actual[t]] + same + 1 : 0;
    count[t] = own > most ? own : most;
    holder[t] = own > most ? actual[t] : majority;
    __syncthreads();
    for (int reach = 1; reach < THREADS; reach *= 2) {
      long long left = t >= reach ? count[t - reach] : 0;
      int leftHolder = t >= reach ? holder[t - reach] : NONE;
      __syncthreads();
      if (left >= count[t]) {
        count[t] = left;
        holder[t] = leftHolder;
      }
      __syncthreads();
    }
    int majorityBefore = t == 0 ? majority : holder[t - 1];

    bool right = counts && actual[t] == predicted[t];
    bool noChange = counts && actual[t] == previous;
    bool frequent = counts && actual[t] == majorityBefore;
    put(terms, 3, right ? 1 : 0, weight);
    put(terms, 4, noChange ? 1 : 0, weight);
    put(terms, 5, frequent ? 1 : 0, weight);
    double sum = blockSums(terms, TERMS);
    // All have read the counts and counters from before the chunk: the sums above had barriers.
    for (int c = t; c < 2 * classes; c += THREADS) {
      const int* chosen = c < classes ? actual : predicted;
      int wanted = c < classes ? c : c - classes;
      double rowsOfClass = 0;
      double fadedRows = 0;
      for (int i = 0; i < here; i++) {
        if (chosen[i] == wanted) {
          rowsOfClass += 1;
          fadedRows += faded[i];
        }
      }
      add(all, fading, SUM_ACTUAL + c, rowsOfClass, fadedRows);
    }
    if (t < TERMS) {
      (t % 2 == 0 ? all : fading)[placeOf(t / 2, classes)] += sum;
    }
    if (t == THREADS - 1) {
      counters(step)[PREVIOUS_CLASS] = counts ? actual[t] : previous;
      counters(step)[MAJORITY_CLASS] = holder[t];
    }
    before += chunk;
    __syncthreads();
  }
  if (t == 0) {
    counters(step)[ROWS] += counted;
  }
}
