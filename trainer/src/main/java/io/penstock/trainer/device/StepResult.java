package io.penstock.trainer.device;

/** How a step ended; filled by {@link DeviceSession#poll}, so that none is made for each step. */
public final class StepResult {
  /** What became of the step's update. */
  public enum Status {
    APPLIED,
    /** Loss or gradient were not finite; nothing was changed. */
    NOT_FINITE,
    /** The rows' weights add up to nothing (or to no number); nothing was changed. */
    WEIGHTLESS,
    /** The loss lay too far above those of the steps before; no weight was changed. */
    SPIKE
  }

  private long sequence = -1;
  private Status status = Status.APPLIED;
  private double loss = Double.NaN;

  /** Fills all. */
  public void set(long sequence, Status status, double loss) {
    this.sequence = sequence;
    this.status = status;
    this.loss = loss;
  }

  /** Fills all as {@code that}. */
  public void set(StepResult that) {
    set(that.sequence, that.status, that.loss);
  }

  /** {@link io.penstock.pipeline.Slot#sequence()} of the step's slot. */
  public long sequence() {
    return sequence;
  }

  public Status status() {
    return status;
  }

  /** Mean loss before the update, by the rows' weights; NaN for a weightless step. */
  public double loss() {
    return loss;
  }
}
