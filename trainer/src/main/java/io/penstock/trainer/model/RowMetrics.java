package io.penstock.trainer.model;

/**
 * The rule by which rows are added to the metrics of a {@link TrainingState}: one after the other, in double precision.
 * evaluate.cuh is this class for cuda.
 *
 * <p>In the fading sums the newest row weighs more than the one before, instead of all that came before less: so a row costs
 * what it adds to, however many sums there are. Only their shares mean anything. Before the weights become too large, they and
 * the sums are made smaller by a power of two, which rounds nothing.
 */
public final class RowMetrics {
  /** -ln of the least probability that counts, 10⁻¹⁵. */
  public static final double MAX_LOG_LOSS = 15 * Math.log(10);

  /** A row that would weigh more makes all weights smaller: squares of floats times this, and 2²⁵⁶ times as much, are finite. */
  public static final double MOST_WEIGHT = 0x1p256;

  private final int classes;
  private final int fading;
  private final double growth;
  private final ClassSums sums;

  public RowMetrics(MetricsSpec spec) {
    classes = spec.classes();
    fading = TrainingState.sums(spec);
    growth = 1 / spec.fade();
    sums = new ClassSums(classes, spec.late());
  }

  /**
   * Adds the next row.
   *
   * @param label the number, or the index of the class
   * @param prediction likewise
   * @param score of classes, see {@link KernelCall.LossRows}
   * @param loss unweighted
   */
  public void add(TrainingState state, float label, float prediction, float score, double loss) {
    score(state, label, prediction, score, loss, noChange(state), constant(state));
    learn(state, label);
  }

  /** What the no-change baseline says of the next row. */
  private double noChange(TrainingState state) {
    return classes == 0
        ? state.values()[TrainingState.PREVIOUS_LABEL]
        : state.counters()[TrainingState.PREVIOUS_CLASS];
  }

  /** What the majority or mean baseline says of the next row. */
  private double constant(TrainingState state) {
    long[] counters = state.counters();
    if (classes > 0) {
      return counters[TrainingState.MAJORITY_CLASS];
    }
    long before = counters[TrainingState.ROWS];
    return before == 0 ? 0 : state.values()[TrainingState.LABEL_SUM] / before;
  }

  /** Has the baselines know the label of the row that was added last. */
  private void learn(TrainingState state, float label) {
    double[] values = state.values();
    if (classes == 0) {
      values[TrainingState.PREVIOUS_LABEL] = label;
      values[TrainingState.LABEL_SUM] += label;
      return;
    }
    long[] counters = state.counters();
    int actual = (int) label;
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    int counts = TrainingState.SUMS + sums.actual();
    counters[TrainingState.PREVIOUS_CLASS] = actual;
    if (majority < 0 || values[counts + actual] > values[counts + majority]) {
      counters[TrainingState.MAJORITY_CLASS] = actual;
    }
  }

  /**
   * Adds the next row, whose label no baseline of this state comes to know.
   *
   * @param noChange what the baselines say: the number, or the index of the class, -1 for none
   * @param constant likewise
   */
  public void score(
      TrainingState state,
      float label,
      float prediction,
      float score,
      double loss,
      double noChange,
      double constant) {
    double[] values = state.values();
    double weight = nextWeight(values);
    add(values, TrainingState.SUM_ROWS, 1, weight);
    add(values, TrainingState.SUM_LOSS, loss, weight);
    if (classes == 0) {
      addNumber(values, label, prediction, noChange, constant, weight);
    } else {
      add(values, TrainingState.SUM_LOG_LOSS, Math.min(loss, MAX_LOG_LOSS), weight);
      addClass(values, (int) label, (int) prediction, (int) noChange, (int) constant, weight);
      addScore(values, (int) label, (int) prediction, score, weight);
    }
    state.counters()[TrainingState.ROWS]++;
  }

  private double nextWeight(double[] values) {
    double weight = values[TrainingState.ROW_WEIGHT] * growth;
    if (weight > MOST_WEIGHT) {
      weight /= MOST_WEIGHT;
      for (int i = TrainingState.SUMS + fading; i < values.length; i++) {
        values[i] /= MOST_WEIGHT;
      }
    }
    values[TrainingState.ROW_WEIGHT] = weight;
    return weight;
  }

  private void addNumber(
      double[] values, float label, float prediction, double noChange, double mean, double weight) {
    addErrors(values, TrainingState.SUM_ABSOLUTE_ERROR, (double) prediction - label, weight);
    addErrors(values, TrainingState.SUM_NO_CHANGE_ABSOLUTE_ERROR, noChange - label, weight);
    addErrors(values, TrainingState.SUM_MEAN_ABSOLUTE_ERROR, mean - label, weight);
  }

  /** The square's sum stands behind that of the size. */
  private void addErrors(double[] values, int sum, double error, double weight) {
    add(values, sum, Math.abs(error), weight);
    add(values, sum + 1, error * error, weight);
  }

  private void addClass(
      double[] values, int actual, int predicted, int noChange, int majority, double weight) {
    if (actual == noChange) {
      add(values, sums.noChangeRight() + actual, 1, weight);
    }
    if (sums.late() && noChange >= 0) {
      add(values, sums.noChangeSaid() + noChange, 1, weight);
    }
    if (majority >= 0) {
      add(values, sums.majoritySaid() + majority, 1, weight);
      if (actual == majority) {
        add(values, sums.majorityRight() + actual, 1, weight);
      }
    }
    add(values, sums.actual() + actual, 1, weight);
    add(values, sums.predicted() + predicted, 1, weight);
    if (sums.isConfusionKept()) {
      add(values, sums.cells() + actual * classes + predicted, 1, weight);
    } else if (actual == predicted) {
      add(values, sums.right(actual), 1, weight);
    }
  }

  private void addScore(double[] values, int actual, int predicted, float score, double weight) {
    double said = score;
    double came = actual == predicted ? 1 : 0;
    if (classes == 2) {
      double place = ScoreBins.place(score);
      int bin = ScoreBins.bin(place);
      add(values, sums.bins() + actual * ScoreBins.COUNT + bin, 1, weight);
      said = ScoreBins.probability(place, bin);
      came = actual;
    }
    add(values, sums.gaps() + ScoreBins.probabilityBin(said), said - came, weight);
  }

  private void add(double[] values, int sum, double value, double weight) {
    values[TrainingState.SUMS + sum] += value;
    values[TrainingState.SUMS + fading + sum] += value * weight;
  }
}
