// A whole step of a small model in three launches. Two things need all blocks: the sum of the gradient over rows, and the norm and the
// finite flag of that sum, before the first weight changes; hence three launches and not one. No atomics: which block adds what to
// what is a function of shapes.
#include "activations.cuh"
#include "evaluate.cuh"
#include "losses.cuh"
#include "optimizers.cuh"

// Rows of a block.
#define TILE FUSED_TILE_ROWS

// Floats from line to line of a tile in shared memory: odd, so that neither neighbouring lines nor neighbouring rows share a bank.
#define LINE (TILE + 1)

// As FusedShape.java lays them out. Offsets are in floats: of parameters in the flat buffer, of all else in shared memory.
struct FusedLayer {
  int inputs;
  int outputs;
  int activation;
  int weight;        // parameters
  int bias;          // parameters
  int stagedWeight;  // weights by inputs, outputs | 1 floats a line
  int stagedBias;
  int values;        // of the layer, a line an output
  int operand;       // what the slope of the activation is computed from
  int delta;         // of the sums before the activation; that of the last layer, which has none, takes the values' place
};

struct FusedModel {
  int layers;
  int features;  // shared memory
  FusedLayer layer[FUSED_MOST_LAYERS];
};

static_assert(sizeof(FusedModel) == FUSED_MODEL_INTS * sizeof(int), "FusedShape.java has another form of FusedModel");

static __device__ inline int stagedLine(const FusedLayer& layer) {
  return layer.outputs | 1;
}

// Lines are shared out among warps, columns among a warp's threads.
#define WARP 32
#define FOR_EACH_WEIGHT(layer, input, output)                                    \
  for (int input = threadIdx.x / WARP; input < layer.inputs; input += THREADS / WARP) \
    for (int output = threadIdx.x % WARP; output < layer.outputs; output += WARP)

// All weights, and the features of the tile's rows; those of rows that weigh nothing, and of what is no row, are 0.
static __device__ inline void stage(
    const FusedModel& model, const float* parameters, const float* features, long long stride, const float* weights, int first,
    int rows, float* memory) {
  for (int l = 0; l < model.layers; l++) {
    const FusedLayer& layer = model.layer[l];
    FOR_EACH_WEIGHT(layer, i, o) {
      memory[layer.stagedWeight + i * stagedLine(layer) + o] = parameters[layer.weight + i * layer.outputs + o];
    }
    for (int o = threadIdx.x; o < layer.outputs; o += THREADS) {
      memory[layer.stagedBias + o] = parameters[layer.bias + o];
    }
  }
  for (int e = threadIdx.x; e < model.layer[0].inputs * TILE; e += THREADS) {
    int line = e / TILE;
    int row = first + e % TILE;
    bool counts = row < rows && weights[row] != 0;
    memory[model.features + line * LINE + e % TILE] = counts ? features[line * stride + row] : 0;
  }
}

// a = f(W^T x + b)
static __device__ inline void forward(const FusedLayer& layer, int inputs, float* memory) {
  const float* x = memory + inputs;
  for (int e = threadIdx.x; e < layer.outputs * TILE; e += THREADS) {
    int o = e / TILE;
    int r = e % TILE;
    const float* w = memory + layer.stagedWeight + o;
    float sum = 0;
    for (int i = 0; i < layer.inputs; i++) {
      sum = fmaf(w[i * stagedLine(layer)], x[i * LINE + r], sum);
    }
    sum += memory[layer.stagedBias + o];
    memory[layer.operand + o * LINE + r] = sum;
    memory[layer.values + o * LINE + r] = activate(layer.activation, sum);
  }
}

// dW = x d^T and db = sum of d over the tile's rows
static __device__ inline void gradients(const FusedLayer& layer, int inputs, const float* memory, float* partial) {
  const float* x = memory + inputs;
  const float* d = memory + layer.delta;
  FOR_EACH_WEIGHT(layer, i, o) {
    float sum = 0;
    for (int r = 0; r < TILE; r++) {
      sum = fmaf(x[i * LINE + r], d[o * LINE + r], sum);
    }
    partial[layer.weight + i * layer.outputs + o] = sum;
  }
  for (int o = threadIdx.x; o < layer.outputs; o += THREADS) {
    float sum = 0;
    for (int r = 0; r < TILE; r++) {
      sum += d[o * LINE + r];
    }
    partial[layer.bias + o] = sum;
  }
}

// dx = W d, and through the activation of the layer below; what is no row has none.
static __device__ inline void backward(const FusedLayer& layer, const FusedLayer& below, int realRows, float* memory) {
  const float* d = memory + layer.delta;
  for (int e = threadIdx.x; e < layer.inputs * TILE; e += THREADS) {
    int i = e / TILE;
    int r = e % TILE;
    const float* w = memory + layer.stagedWeight + i * stagedLine(layer);
    float sum = 0;
    for (int o = 0; o < layer.outputs; o++) {
      sum = fmaf(w[o], d[o * LINE + r], sum);
    }
    float through = sum * slope(below.activation, memory[below.operand + i * LINE + r]);
    memory[below.delta + i * LINE + r] = r < realRows ? through : 0;
  }
}

// Forward, loss and backward of a tile of rows; its part of the gradient goes to a place of its own, `size` floats apart. Also begins
// the step. A block a tile.
extern "C" __global__ void fusedGradients(
    const char* slot, Step* step, FusedModel model, const float* parameters, float* partials, int size, const float* features,
    long long stride, const float* labels, const float* weights, float* losses, float* predictions, float* scores, int loss,
    float number) {
  DYNAMIC_SHARED(float, memory);
  int t = threadIdx.x;
  int first = blockIdx.x * TILE;
  Step own = begun(slot);
  if (blockIdx.x == 0 && t == 0) {
    *step = own;
  }
  if (first >= own.rows) {
    return;
  }
  stage(model, parameters, features, stride, weights, first, own.rows, memory);
  __syncthreads();
  int inputs = model.features;
  for (int l = 0; l < model.layers; l++) {
    forward(model.layer[l], inputs, memory);
    inputs = model.layer[l].values;
    __syncthreads();
  }

  const FusedLayer& last = model.layer[model.layers - 1];
  int realRows = own.rows - first;
  if (t < TILE) {
    int row = first + t;
    float* z = memory + last.values + t;
    if (row < own.rows) {
      Share share = shareOf(weights, row, &own);
      RowLoss found;
      if (loss == SOFTMAX_CROSS_ENTROPY) {
        found = softmaxOfRow(z, LINE, last.outputs, (int)labels[row], share);
      } else {
        found = lossOfRow(loss, *z, labels[row], number);
        *z = weighed(found.slope, share);
      }
      losses[row] = found.loss;
      predictions[row] = found.prediction;
      scores[row] = found.score;
    } else {
      for (int o = 0; o < last.outputs; o++) {
        z[o * LINE] = 0;
      }
    }
  }
  __syncthreads();

  float* partial = partials + (long long)blockIdx.x * size;
  for (int l = model.layers - 1; l >= 0; l--) {
    const FusedLayer& layer = model.layer[l];
    gradients(layer, l == 0 ? model.features : model.layer[l - 1].values, memory, partial);
    if (l > 0) {
      backward(layer, model.layer[l - 1], realRows, memory);
      __syncthreads();
    }
  }
}

// The gradient: the sum of the tiles', one after the other, and each block's sum of squares. The last block evaluates meanwhile,
// makes Adam's factors, as if the step were applied, and says what the loss may be: the next launch changes what that comes from.
extern "C" __global__ void fusedSums(
    const float* partials, float* gradient, int size, double* squares, const float* labels, const float* weights,
    const float* losses, const float* predictions, const float* scores, Step* step, int classes, const double* growths,
    const double* edges, double rate, double beta1, double beta2, double lossSpike) {
  __shared__ double shared[THREADS];
  if (blockIdx.x == gridDim.x - 1) {
    if (threadIdx.x == 0) {
      correct(step, rate, values(step)[BETA1_POWER] * beta1, values(step)[BETA2_POWER] * beta2);
      step->lossBound = lossBoundOf(step, lossSpike);
    }
    evaluateRows(labels, weights, losses, predictions, scores, step, classes, growths, edges);
    return;
  }
  int tiles = (step->rows + TILE - 1) / TILE;
  int i = blockIdx.x * THREADS + threadIdx.x;
  float sum = 0;
  if (i < size) {
#pragma unroll 8
    for (int tile = 0; tile < tiles; tile++) {
      sum += partials[(long long)tile * size + i];
    }
    gradient[i] = sum;
  }
  double square = blockSum((double)sum * sum, shared);
  if (threadIdx.x == 0) {
    squares[blockIdx.x] = square;
  }
}

// Every block finds out by itself whether the step is to be applied; the first one says so, and ends the step. A thread a parameter.
// What other threads than that one read of the step here is written by none.
extern "C" __global__ void fusedUpdate(
    float* w, const float* gradient, float* m, float* v, int size, const double* squares, int count, float clipNorm, Step* step,
    int rule, Numbers numbers, double beta1, double beta2) {
  __shared__ double shared[THREADS];
  double sum = sumOfPartials(squares, count, shared);
  int status = statusOf(sum, step);
  float scale = scaleOf(sum, clipNorm);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    step->status = status;
    step->scale = scale;
    counters(step)[status == APPLIED ? STEPS_APPLIED : STEPS_SKIPPED]++;
    if (status == APPLIED && rule == ADAM) {
      values(step)[BETA1_POWER] *= beta1;
      values(step)[BETA2_POWER] *= beta2;
    }
    if (hasFiniteLossAndGradient(status)) {
      countLoss(step);
    }
  }
  int i = blockIdx.x * THREADS + threadIdx.x;
  if (status != APPLIED || i >= size) {
    return;
  }
  updateOf(rule, w[i], gradient[i], scale, m + i, v + i, step, numbers);
}
