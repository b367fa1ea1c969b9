// The loss of the minibatch, and prequential metrics: what RowMetrics.java does row after row, a chunk of rows at a time. Sums by class,
// cell or bin are added up by one thread each, in the rows' order.
#pragma once
#include "penstock.cuh"

#define NONE (-1)

// Where the sums of classes lie, as ClassSums.java has it: BY_CLASS for each class, cells, gaps, bins.
#define BY_CLASS 5

struct ClassSums {
  bool confusion;  // whether there is a cell for each pair of classes
  int cells;
  int gaps;
  int bins;
};

static __device__ inline ClassSums classSums(int classes) {
  bool confusion = classes <= MOST_CONFUSED;
  int cells = SUM_BY_CLASS + BY_CLASS * classes;
  int gaps = cells + (confusion ? classes * classes : classes);
  return {confusion, cells, gaps, gaps + PROBABILITY_BINS};
}

static __device__ inline int sumsOf(int classes) {
  return classes == 0 ? NUMBER_SUMS : classSums(classes).bins + (classes == 2 ? 2 * SCORE_BINS : 0);
}

// Sums of all rows, and the fading ones.
struct Sums {
  double* all;
  double* fading;
};

static __device__ inline void add(Sums sums, int at, double value, double faded) {
  sums.all[at] += value;
  sums.fading[at] += faded;
}

// Up to PAIRS pairs of sums at once.
#define PAIRS 8

// Rows of a chunk, a thread each; what is no row that counts has no class, and weighs nothing.
struct Chunk {
  double values[PAIRS][THREADS];  // of which sums are made over all rows
  double lanes[2 * PAIRS][LANES];
  double weight[THREADS];
  double number[THREADS];  // of numbers the label, of classes what was said less what came true
  long long count[THREADS];
  int rank[THREADS];
  int actual[THREADS];
  int predicted[THREADS];
  int previous[THREADS];
  int holder[THREADS];
  int majority[THREADS];
  int gap[THREADS];  // bin of the probability
  int bin[THREADS];  // of the score, by class
};

static_assert(2 * PAIRS * LANES <= THREADS, "a thread a lane of a sum");

// Adds the chunk's first `pairs` values to the sums from the first on, and as they weigh. All threads must call it.
static __device__ inline void addValues(Chunk& chunk, int pairs, Sums sums) {
  int term = threadIdx.x / LANES;
  int lane = threadIdx.x % LANES;
  __syncthreads();
  if (term < 2 * pairs) {
    const double* values = chunk.values[term / 2];
    double sum = 0;
    for (int i = lane; i < THREADS; i += LANES) {
      sum += term % 2 == 0 ? values[i] : values[i] * chunk.weight[i];
    }
    chunk.lanes[term][lane] = sum;
  }
  __syncthreads();
  int t = threadIdx.x;
  if (t < 2 * pairs) {
    double sum = 0;
    for (int i = 0; i < LANES; i++) {
      sum += chunk.lanes[t][i];
    }
    (t % 2 == 0 ? sums.all : sums.fading)[t / 2] += sum;
  }
}

// The square stands behind the size.
static __device__ inline void putError(Chunk& chunk, int pair, bool counts, double error) {
  chunk.values[pair][threadIdx.x] = counts ? fabs(error) : 0;
  chunk.values[pair + 1][threadIdx.x] = counts ? error * error : 0;
}

// Numbers: the errors of the prediction, of the number before, of the mean of all before.
static __device__ inline void addNumbers(
    Chunk& chunk, bool counts, double label, double prediction, long long before, Step* step, Sums sums) {
  int t = threadIdx.x;
  chunk.number[t] = label;
  __syncthreads();
  double previous = values(step)[PREVIOUS_LABEL];
  double sum = values(step)[LABEL_SUM];
  for (int i = 0; i < t; i++) {
    bool isRow = chunk.weight[i] != 0;
    previous = isRow ? chunk.number[i] : previous;
    sum += isRow ? chunk.number[i] : 0;
  }
  double mean = before == 0 ? 0 : sum / (double)before;
  putError(chunk, SUM_ABSOLUTE_ERROR, counts, prediction - label);
  putError(chunk, SUM_NO_CHANGE_ABSOLUTE_ERROR, counts, previous - label);
  putError(chunk, SUM_MEAN_ABSOLUTE_ERROR, counts, mean - label);
  addValues(chunk, NUMBER_SUMS, sums);
  // All have read what was before the chunk.
  if (t == THREADS - 1) {
    values(step)[PREVIOUS_LABEL] = counts ? label : previous;
    values(step)[LABEL_SUM] = counts ? sum + label : sum;
  }
}

// The probability of class 1 by its score: on the straight line between the bin's edges, whose probabilities are in `edges`.
static __device__ inline double probabilityOf(float score, const double* edges, int* bin) {
  double inRange = score > -SCORE_RANGE ? (score < SCORE_RANGE ? score : SCORE_RANGE) : -SCORE_RANGE;
  double place = (inRange + SCORE_RANGE) * (SCORE_BINS / (2 * SCORE_RANGE));
  *bin = (int)place < SCORE_BINS ? (int)place : SCORE_BINS - 1;
  return edges[*bin] + (place - *bin) * (edges[*bin + 1] - edges[*bin]);
}

static __device__ inline void putScore(Chunk& chunk, bool counts, float score, int classes, const double* edges) {
  int t = threadIdx.x;
  int actual = chunk.actual[t];
  double said = score;
  double came = actual == chunk.predicted[t] ? 1 : 0;
  int bin = 0;
  if (classes == 2) {
    said = probabilityOf(score, edges, &bin);
    came = actual;
  }
  int gap = (int)(said * PROBABILITY_BINS);
  chunk.bin[t] = counts && classes == 2 ? actual * SCORE_BINS + bin : NONE;
  chunk.gap[t] = counts ? (gap < PROBABILITY_BINS ? gap : PROBABILITY_BINS - 1) : NONE;
  chunk.number[t] = said - came;
}

// The class of the counted row before each, and the majority class before each. That needs the counts of all rows before it; it changes
// where a count exceeds the largest so far, so that it is the class of the last row whose own count did: a scan whose operator keeps
// the larger count, of two equal ones the earlier.
static __device__ inline void findBaselines(Chunk& chunk, bool counts, Step* step, Sums sums) {
  int t = threadIdx.x;
  int previous = (int)counters(step)[PREVIOUS_CLASS];
  int same = 0;
  for (int i = 0; i < t; i++) {
    previous = chunk.actual[i] != NONE ? chunk.actual[i] : previous;
    same += chunk.actual[i] == chunk.actual[t] ? 1 : 0;
  }
  chunk.previous[t] = previous;
  int majority = (int)counters(step)[MAJORITY_CLASS];
  long long most = majority == NONE ? 0 : (long long)sums.all[SUM_BY_CLASS + majority];
  long long own = counts ? (long long)sums.all[SUM_BY_CLASS + chunk.actual[t]] + same + 1 : 0;
  chunk.count[t] = own > most ? own : most;
  chunk.holder[t] = own > most ? chunk.actual[t] : majority;
  __syncthreads();
  for (int reach = 1; reach < THREADS; reach *= 2) {
    long long left = t >= reach ? chunk.count[t - reach] : 0;
    int leftHolder = t >= reach ? chunk.holder[t - reach] : NONE;
    __syncthreads();
    if (left >= chunk.count[t]) {
      chunk.count[t] = left;
      chunk.holder[t] = leftHolder;
    }
    __syncthreads();
  }
  chunk.majority[t] = counts ? (t == 0 ? majority : chunk.holder[t - 1]) : NONE;
  __syncthreads();
  if (t == THREADS - 1) {
    counters(step)[PREVIOUS_CLASS] = counts ? chunk.actual[t] : previous;
    counters(step)[MAJORITY_CLASS] = chunk.holder[t];
  }
}

// What is summed up by class, a thread a class.
static __device__ inline void addByClass(const Chunk& chunk, int here, int classes, Sums sums) {
  for (int c = threadIdx.x; c < classes; c += THREADS) {
    double rows[BY_CLASS] = {};
    double faded[BY_CLASS] = {};
    for (int i = 0; i < here; i++) {
      bool isActual = chunk.actual[i] == c;
      bool met[BY_CLASS] = {
          isActual, chunk.predicted[i] == c, isActual && chunk.previous[i] == c, chunk.majority[i] == c,
          isActual && chunk.majority[i] == c};
      for (int k = 0; k < BY_CLASS; k++) {
        rows[k] += met[k] ? 1 : 0;
        faded[k] += met[k] ? chunk.weight[i] : 0;
      }
    }
    for (int k = 0; k < BY_CLASS; k++) {
      add(sums, SUM_BY_CLASS + k * classes + c, rows[k], faded[k]);
    }
  }
}

// A thread a bin, from the last on: the first ones have classes.
static __device__ inline void addGaps(const Chunk& chunk, int here, int at, Sums sums) {
  int bin = THREADS - 1 - threadIdx.x;
  if (bin < PROBABILITY_BINS) {
    double gap = 0;
    double faded = 0;
    for (int i = 0; i < here; i++) {
      gap += chunk.gap[i] == bin ? chunk.number[i] : 0;
      faded += chunk.gap[i] == bin ? chunk.number[i] * chunk.weight[i] : 0;
    }
    add(sums, at + bin, gap, faded);
  }
}

// Of many sums, to which few of the chunk's rows add: the first row of those that add to the same one adds them all. `same` says of a
// row whether it is of those.
template <typename Same>
static __device__ inline void addSparse(const Chunk& chunk, int here, int at, Sums sums, Same same) {
  int t = threadIdx.x;
  for (int i = 0; i < t; i++) {
    if (same(i)) {
      return;
    }
  }
  double rows = 0;
  double faded = 0;
  for (int i = t; i < here; i++) {
    rows += same(i) ? 1 : 0;
    faded += same(i) ? chunk.weight[i] : 0;
  }
  add(sums, at, rows, faded);
}

static __device__ inline void addCells(const Chunk& chunk, int here, int classes, ClassSums places, Sums sums) {
  int actual = chunk.actual[threadIdx.x];
  int predicted = chunk.predicted[threadIdx.x];
  if (actual != NONE && (places.confusion || actual == predicted)) {
    addSparse(
        chunk, here, places.cells + (places.confusion ? actual * classes + predicted : actual), sums,
        [&](int i) { return chunk.actual[i] == actual && chunk.predicted[i] == predicted; });
  }
}

static __device__ inline void addBins(const Chunk& chunk, int here, int at, Sums sums) {
  int bin = chunk.bin[threadIdx.x];
  if (bin != NONE) {
    addSparse(chunk, here, at + bin, sums, [&](int i) { return chunk.bin[i] == bin; });
  }
}

// What the last row before the chunk weighs. All threads must call it.
static __device__ inline double weightBefore(Step* step, int count, Sums sums) {
  double weight = values(step)[ROW_WEIGHT];
  if (weight > MOST_WEIGHT) {
    weight /= MOST_WEIGHT;
    for (int i = threadIdx.x; i < count; i += THREADS) {
      sums.fading[i] /= MOST_WEIGHT;
    }
    __syncthreads();
  }
  return weight;
}

// One block. `growths` has the powers of what a row weighs more than the one before, up to that of THREADS.
static __device__ inline void evaluateRows(
    const float* labels, const float* weights, const float* losses, const float* predictions, const float* scores, Step* step,
    int classes, const double* growths, const double* edges) {
  __shared__ double shared[THREADS];
  __shared__ Chunk chunk;
  int t = threadIdx.x;
  int rows = step->rows;
  bool weightless = step->status == WEIGHTLESS;
  __syncthreads();
  if (weightless) {
    return;
  }

  double weightedLoss = 0;
  for (int row = t; row < rows; row += THREADS) {
    if (weights[row] != 0) {
      weightedLoss = fma((double)weights[row], (double)losses[row], weightedLoss);
    }
  }
  double loss = blockSum(weightedLoss, shared) / step->weightSum;
  if (t == 0) {
    step->loss = loss;
  }
  if (!isFinite(loss)) {
    return;
  }

  int count = sumsOf(classes);
  Sums sums = {values(step) + SUMS, values(step) + SUMS + count};
  for (int base = 0; base < rows; base += THREADS) {
    int row = base + t;
    int here = rows - base < THREADS ? rows - base : THREADS;
    bool counts = row < rows && weights[row] != 0;
    long long before = counters(step)[ROWS];
    double weight = weightBefore(step, count, sums);
    // Rows of this chunk that count, up to this one.
    chunk.rank[t] = counts ? 1 : 0;
    __syncthreads();
    for (int reach = 1; reach < THREADS; reach *= 2) {
      int left = t >= reach ? chunk.rank[t - reach] : 0;
      __syncthreads();
      chunk.rank[t] += left;
      __syncthreads();
    }
    chunk.weight[t] = counts ? weight * growths[chunk.rank[t]] : 0;
    chunk.values[SUM_ROWS][t] = counts ? 1 : 0;
    chunk.values[SUM_LOSS][t] = counts ? losses[row] : 0;
    if (classes == 0) {
      double label = counts ? labels[row] : 0;
      double prediction = counts ? predictions[row] : 0;
      addNumbers(chunk, counts, label, prediction, before + chunk.rank[t] - 1, step, sums);
    } else {
      chunk.values[SUM_LOG_LOSS][t] = counts ? (losses[row] < MAX_LOG_LOSS ? losses[row] : MAX_LOG_LOSS) : 0;
      chunk.actual[t] = counts ? (int)labels[row] : NONE;
      chunk.predicted[t] = counts ? (int)predictions[row] : NONE;
      putScore(chunk, counts, counts ? scores[row] : 0, classes, edges);
      __syncthreads();
      findBaselines(chunk, counts, step, sums);
      addValues(chunk, SUM_LOG_LOSS + 1, sums);
      ClassSums places = classSums(classes);
      addByClass(chunk, here, classes, sums);
      addGaps(chunk, here, places.gaps, sums);
      addCells(chunk, here, classes, places, sums);
      if (classes == 2) {
        addBins(chunk, here, places.bins, sums);
      }
    }
    if (t == 0) {
      values(step)[ROW_WEIGHT] = weight * growths[chunk.rank[THREADS - 1]];
      counters(step)[ROWS] = before + chunk.rank[THREADS - 1];
    }
    __syncthreads();
  }
}
