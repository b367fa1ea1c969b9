package io.penstock.trainer.model;

/**
 * What changes from step to step beside the weights: counters and sums at fixed places, so that a device can keep it in its own
 * memory as one block of integers and one of doubles, update it in kernels and copy it back whole. Saved with the weights of the
 * same step.
 *
 * <p>Sums are kept twice: over all rows, and fading, where a row weighs {@link MetricsSpec#fade()} times as much with each that
 * follows. Every row of weight above 0 counts once, whatever its weight. Not thread-safe.
 */
public final class TrainingState {
  /** Steps whose update was applied. */
  public static final int STEPS_APPLIED = 0;

  /** Steps that changed no weight: not finite, a spike, or without weight. */
  public static final int STEPS_SKIPPED = 1;

  /** How far the random numbers of the run have been drawn. */
  public static final int RANDOM_COUNTER = 2;

  /** Rows that metrics count. */
  public static final int ROWS = 3;

  /** Class of the row before, -1 before the first: what the no-change baseline says. */
  public static final int PREVIOUS_CLASS = 4;

  /** The most frequent class so far, -1 before the first row: what the majority baseline says. */
  public static final int MAJORITY_CLASS = 5;

  /** Finite steps that are counted in mean and variance of the loss. */
  public static final int LOSS_STEPS = 6;

  /** Finite steps since the last whose loss was no spike. */
  public static final int SPIKES_IN_A_ROW = 7;

  /** Number of the integers. */
  public static final int COUNTERS = 8;

  /** β₁ to the power of the applied steps. */
  public static final int BETA1_POWER = 0;

  /** β₂ to the power of the applied steps. */
  public static final int BETA2_POWER = 1;

  /** Fading mean of their losses, by {@link LossSpikes}. */
  public static final int LOSS_MEAN = 2;

  /** Fading variance of their losses. */
  public static final int LOSS_VARIANCE = 3;

  /** What the newest row weighs in the fading sums; grows from row to row, see {@link RowMetrics}. */
  public static final int ROW_WEIGHT = 4;

  /** The number of the row before, 0 before the first: what the no-change baseline says. */
  public static final int PREVIOUS_LABEL = 5;

  /** The sum of all numbers so far. */
  public static final int LABEL_SUM = 6;

  /** First of the sums over all rows; the fading ones lie {@link #sums} further. */
  public static final int SUMS = 7;

  /** Rows, in the offsets from the first sum. */
  public static final int SUM_ROWS = 0;

  /** Of the loss that is made small, unweighted. */
  public static final int SUM_LOSS = 1;

  /** Of |prediction - label|. */
  public static final int SUM_ABSOLUTE_ERROR = 2;

  /** Of (prediction - label)². */
  public static final int SUM_SQUARED_ERROR = 3;

  /** The two errors of saying the number of the row before, 0 before the first. */
  public static final int SUM_NO_CHANGE_ABSOLUTE_ERROR = 4;

  public static final int SUM_NO_CHANGE_SQUARED_ERROR = 5;

  /** The two errors of saying the mean of all numbers before, 0 before the first. */
  public static final int SUM_MEAN_ABSOLUTE_ERROR = 6;

  public static final int SUM_MEAN_SQUARED_ERROR = 7;

  /** Number of the sums of a label that is a number. */
  public static final int NUMBER_SUMS = 8;

  /** Of a label of classes instead: of -ln p of the true class, p no less than 10⁻¹⁵. */
  public static final int SUM_LOG_LOSS = 2;

  /** First of what is summed up by class, see {@link ClassSums}. */
  public static final int SUM_BY_CLASS = 3;

  private final MetricsSpec spec;
  private final long[] counters = new long[COUNTERS];
  private final double[] values;

  /** Before the first step. */
  public TrainingState(MetricsSpec spec) {
    this.spec = spec;
    values = new double[SUMS + 2 * sums(spec)];
    counters[PREVIOUS_CLASS] = -1;
    counters[MAJORITY_CLASS] = -1;
    values[BETA1_POWER] = 1;
    values[BETA2_POWER] = 1;
    values[ROW_WEIGHT] = 1;
  }

  /** Doubles of one set of sums. */
  public static int sums(MetricsSpec spec) {
    return spec.classes() == 0 ? NUMBER_SUMS : new ClassSums(spec.classes(), spec.late()).size();
  }

  /** The integers themselves, by the constants above. */
  public long[] counters() {
    return counters;
  }

  /** The doubles themselves. */
  public double[] values() {
    return values;
  }

  public MetricsSpec spec() {
    return spec;
  }

  /** Takes over all of {@code that}. */
  public void set(TrainingState that) {
    set(that.counters, that.values);
  }

  /** Takes over integers and doubles as they were saved. */
  public void set(long[] newCounters, double[] newValues) {
    if (newCounters.length != counters.length || newValues.length != values.length) {
      throw new IllegalArgumentException(
          ("training state: %d counters and %d values expected for %d classes, not %d and %d; it is of"
                  + " another model or another version of Penstock")
              .formatted(
                  counters.length,
                  values.length,
                  spec.classes(),
                  newCounters.length,
                  newValues.length));
    }
    System.arraycopy(newCounters, 0, counters, 0, counters.length);
    System.arraycopy(newValues, 0, values, 0, values.length);
  }

  public long stepsApplied() {
    return counters[STEPS_APPLIED];
  }

  public long stepsSkipped() {
    return counters[STEPS_SKIPPED];
  }

  /** Fading mean of the losses that steps are judged by; NaN before the first. */
  public double lossMean() {
    return counters[LOSS_STEPS] == 0 ? Double.NaN : values[LOSS_MEAN];
  }

  /** Their spread about that; NaN before the first. */
  public double lossSpread() {
    return counters[LOSS_STEPS] == 0 ? Double.NaN : LossSpikes.spread(this);
  }

  /** The metrics so far. */
  public Evaluation evaluation() {
    return new Evaluation(
        counters[ROWS], spec.window(), Metrics.of(this, false), Metrics.of(this, true));
  }
}
