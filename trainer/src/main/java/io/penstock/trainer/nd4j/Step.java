package io.penstock.trainer.nd4j;

import io.penstock.pipeline.Slot;
import io.penstock.trainer.device.StepResult.Status;
import org.jspecify.annotations.Nullable;

/** What is known of one step on the host. */
final class Step {
  @Nullable Slot slot;
  int rows;
  double weightSum;

  /** Whether the minibatch is not full: some lanes of matrix products are no rows of it. */
  boolean partial;

  /** Whether it is so, or some rows weigh nothing. */
  boolean selective;

  /** Sum of weight · loss over Σ weights. */
  double loss;

  /** What becomes of the step. */
  Status status = Status.APPLIED;

  /** What brings the gradient within its bound. */
  float scale;

  void begin(Slot minibatch) {
    slot = minibatch;
    rows = minibatch.validRows();
    weightSum = minibatch.weightSum();
    loss = Double.NaN;
    status = weightless() ? Status.WEIGHTLESS : Status.APPLIED;
    scale = 1;
  }

  long sequence() {
    return slot == null ? -1 : slot.sequence();
  }

  boolean weightless() {
    return !(weightSum > 0 && weightSum < Double.POSITIVE_INFINITY);
  }
}
