package io.penstock.trainer.cpu;

import io.penstock.trainer.model.TrainingState;

/** What kernels of one step share. */
final class Step {
  final TrainingState state;

  /** Address of the slot. */
  long slot;

  int rows;
  double weightSum;

  /** Sum of weight · loss over Σ weights. */
  double loss;

  /** Whether loss and gradient are finite. */
  boolean finite;

  /** What brings the gradient within its bound. */
  float scale;

  Step(TrainingState state) {
    this.state = state;
  }

  void begin(long slot, int rows, double weightSum) {
    this.slot = slot;
    this.rows = rows;
    this.weightSum = weightSum;
    loss = Double.NaN;
    finite = true;
    scale = 1;
  }

  float inverseWeightSum() {
    return (float) (1 / weightSum);
  }
}
