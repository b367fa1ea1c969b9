// The loss of the minibatch, and prequential metrics: what Prequential.java does row after row, a chunk of rows at a time.
#include "penstock.cuh"

#define NONE (-1)

// Adds to a sum over all rows, and to the fading one.
static __device__ inline void add(double* all, double* fading, int sum, double value, double faded) {
  all[sum] += value;
  fading[sum] += faded;
}

// One block. `fades` has the powers of the fade: what a row weighs that so many rows follow.
//
// The majority class before each row needs the counts of all rows before it. It changes where a count exceeds the largest so far,
// so that it is the class of the last row whose own count did: a scan whose operator keeps the larger count, of two equal ones the
// earlier.
extern "C" __global__ void evaluate(
    const float* labels, const float* weights, const float* losses, const float* predictions, Step* step, int classes,
    const double* fades) {
  __shared__ double shared[THREADS];
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
    double ones = blockSum(counts ? 1.0 : 0.0, shared);
    double fadedOnes = blockSum(weight, shared);
    double lossSum = blockSum(loss32, shared);
    double fadedLoss = blockSum(loss32 * weight, shared);
    if (t == 0) {
      add(all, fading, SUM_ROWS, ones, fadedOnes);
      add(all, fading, SUM_LOSS, lossSum, fadedLoss);
    }
    if (classes == 0) {
      double error = counts ? (double)predictions[row] - labels[row] : 0;
      double absolute = fabs(error);
      double sizes = blockSum(absolute, shared);
      double fadedSizes = blockSum(absolute * weight, shared);
      double squares = blockSum(error * error, shared);
      double fadedSquares = blockSum(error * error * weight, shared);
      if (t == 0) {
        add(all, fading, SUM_ABSOLUTE_ERROR, sizes, fadedSizes);
        add(all, fading, SUM_SQUARED_ERROR, squares, fadedSquares);
      }
      before += chunk;
      __syncthreads();
      continue;
    }

    double logLoss = loss32 < MAX_LOG_LOSS ? loss32 : MAX_LOG_LOSS;
    double logSum = blockSum(logLoss, shared);
    double fadedLog = blockSum(logLoss * weight, shared);
    actual[t] = counts ? (int)labels[row] : NONE;
    predicted[t] = counts ? (int)predictions[row] : NONE;
    faded[t] = weight;
    __syncthreads();

    // The class of the counted row before this one, and this row's own count of its class.
    int previous = (int)counters(step)[PREVIOUS_CLASS];
    int same = 0;
    for (int i = 0; i < t; i++) {
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
    double rights = blockSum(right ? 1.0 : 0.0, shared);
    double fadedRights = blockSum(right ? weight : 0.0, shared);
    double noChanges = blockSum(noChange ? 1.0 : 0.0, shared);
    double fadedNoChanges = blockSum(noChange ? weight : 0.0, shared);
    double frequents = blockSum(frequent ? 1.0 : 0.0, shared);
    double fadedFrequents = blockSum(frequent ? weight : 0.0, shared);
    // All have read the counts and counters from before the chunk: the sums above had barriers.
    for (int c = t; c < 2 * classes; c += THREADS) {
      const int* chosen = c < classes ? actual : predicted;
      int wanted = c < classes ? c : c - classes;
      double rowsOfClass = 0;
      double fadedRows = 0;
      for (int i = 0; i < THREADS; i++) {
        if (chosen[i] == wanted) {
          rowsOfClass += 1;
          fadedRows += faded[i];
        }
      }
      add(all, fading, SUM_ACTUAL + c, rowsOfClass, fadedRows);
    }
    if (t == 0) {
      add(all, fading, SUM_LOG_LOSS, logSum, fadedLog);
      add(all, fading, SUM_CORRECT, rights, fadedRights);
      add(all, fading, SUM_NO_CHANGE_CORRECT, noChanges, fadedNoChanges);
      add(all, fading, SUM_MAJORITY_CORRECT, frequents, fadedFrequents);
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
