package io.penstock.trainer.model;

/** The rule by which rows are added to the metrics of a {@link TrainingState}: one after the other, in double precision. */
public final class RowMetrics {
  /** -ln of the least probability that counts, 10⁻¹⁵. */
  private static final double MAX_LOG_LOSS = 15 * Math.log(10);

  private final int classes;
  private final int fading;

  /** Powers of the fade: what a row weighs that so many rows follow. */
  private final double[] fades;

  /** Rows of the minibatch that are still to come. */
  private int left;

  /**
   * @param capacityRows rows that a minibatch may have
   */
  public RowMetrics(MetricsSpec spec, int capacityRows) {
    classes = spec.classes();
    fading = TrainingState.SUMS + TrainingState.sums(classes);
    fades = new double[capacityRows + 1];
    for (int i = 0; i <= capacityRows; i++) {
      fades[i] = Math.pow(spec.fade(), i);
    }
  }

  /** Begins a minibatch of {@code rows} rows that count. */
  public void begin(TrainingState state, int rows) {
    double[] values = state.values();
    double older = fades[rows];
    for (int i = fading; i < values.length; i++) {
      values[i] *= older;
    }
    state.counters()[TrainingState.ROWS] += rows;
    left = rows;
  }

  /** Adds the next of them. */
  public void add(TrainingState state, float label, float prediction, double loss) {
    double fade = fades[--left];
    double[] values = state.values();
    add(values, TrainingState.SUM_ROWS, 1, fade);
    add(values, TrainingState.SUM_LOSS, loss, fade);
    if (classes == 0) {
      double error = (double) prediction - label;
      add(values, TrainingState.SUM_ABSOLUTE_ERROR, Math.abs(error), fade);
      add(values, TrainingState.SUM_SQUARED_ERROR, error * error, fade);
      return;
    }
    add(values, TrainingState.SUM_LOG_LOSS, Math.min(loss, MAX_LOG_LOSS), fade);
    addClass(state, (int) label, (int) prediction, fade);
  }

  private void addClass(TrainingState state, int actual, int predicted, double fade) {
    double[] values = state.values();
    long[] counters = state.counters();
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    if (actual == predicted) {
      add(values, TrainingState.SUM_CORRECT, 1, fade);
    }
    if (actual == counters[TrainingState.PREVIOUS_CLASS]) {
      add(values, TrainingState.SUM_NO_CHANGE_CORRECT, 1, fade);
    }
    if (actual == majority) {
      add(values, TrainingState.SUM_MAJORITY_CORRECT, 1, fade);
    }
    add(values, TrainingState.SUM_ACTUAL + actual, 1, fade);
    add(values, TrainingState.SUM_ACTUAL + classes + predicted, 1, fade);
    counters[TrainingState.PREVIOUS_CLASS] = actual;
    int counts = TrainingState.SUMS + TrainingState.SUM_ACTUAL;
    if (majority < 0 || values[counts + actual] > values[counts + majority]) {
      counters[TrainingState.MAJORITY_CLASS] = actual;
    }
  }

  private void add(double[] values, int sum, double value, double fade) {
    values[TrainingState.SUMS + sum] += value;
    values[fading + sum] += value * fade;
  }
}
