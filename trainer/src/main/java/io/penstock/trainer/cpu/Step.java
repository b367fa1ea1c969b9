package io.penstock.trainer.cpu;

import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.LossSpikes;
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

  /** What becomes of the step. */
  Status status = Status.APPLIED;

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
    status = Status.APPLIED;
    scale = 1;
  }

  void judge(boolean finite, double lossSpike) {
    if (!finite) {
      status = Status.NOT_FINITE;
    } else if (LossSpikes.judge(state, loss, lossSpike)) {
      status = Status.SPIKE;
    }
  }

  float inverseWeightSum() {
    return (float) (1 / weightSum);
  }
}
