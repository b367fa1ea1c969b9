// A step judged by its loss: what LossSpikes.java says and does, to the bit. FMA is written out, for the compiler would otherwise
// choose where to have it.
#pragma once
#include "penstock.cuh"

// What a loss may be, by those of the steps before it; infinite where it is not judged.
static __device__ inline double lossBoundOf(Step* step, double lossSpike) {
  if (lossSpike == 0 || counters(step)[LOSS_STEPS] < SPIKE_LEAST_STEPS) {
    return __longlong_as_double(0x7ff0000000000000LL);
  }
  double mean = values(step)[LOSS_MEAN];
  double spread = sqrt(values(step)[LOSS_VARIANCE]);
  double least = fma(SPIKE_LEAST_SPREAD_OF_MEAN, fabs(mean), SPIKE_LEAST_SPREAD);
  return fma(lossSpike, spread > least ? spread : least, mean);
}

// Counts the loss of a step whose loss and gradient are finite, unless it is a spike; begins anew after too many of those. One thread.
static __device__ inline void countLoss(Step* step) {
  double* mean = values(step) + LOSS_MEAN;
  double* variance = values(step) + LOSS_VARIANCE;
  if (step->loss > step->lossBound) {
    if (++counters(step)[SPIKES_IN_A_ROW] == SPIKE_MOST_IN_A_ROW) {
      counters(step)[LOSS_STEPS] = 0;
      counters(step)[SPIKES_IN_A_ROW] = 0;
      *mean = 0;
      *variance = 0;
    }
    return;
  }
  counters(step)[SPIKES_IN_A_ROW] = 0;
  long long steps = ++counters(step)[LOSS_STEPS];
  double share = 1.0 / (double)(steps < SPIKE_WINDOW_STEPS ? steps : SPIKE_WINDOW_STEPS);
  double d = step->loss - *mean;
  *mean = fma(share, d, *mean);
  *variance = (1 - share) * fma(share * d, d, *variance);
}
