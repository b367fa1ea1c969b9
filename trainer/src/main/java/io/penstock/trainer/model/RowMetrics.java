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
    fading = TrainingState.sums(classes);
    growth = 1 / spec.fade();
    sums = new ClassSums(classes);
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
    double[] values = state.values();
    double weight = nextWeight(values);
    add(values, TrainingState.SUM_ROWS, 1, weight);
    add(values, TrainingState.SUM_LOSS, loss, weight);
    if (classes == 0) {
      addNumber(state, label, prediction, weight);
    } else {
      add(values, TrainingState.SUM_LOG_LOSS, Math.min(loss, MAX_LOG_LOSS), weight);
      addClass(state, (int) label, (int) prediction, weight);
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

  private void addNumber(TrainingState state, float label, float prediction, double weight) {
    double[] values = state.values();
    long before = state.counters()[TrainingState.ROWS];
    double mean = before == 0 ? 0 : values[TrainingState.LABEL_SUM] / before;
    addErrors(values, TrainingState.SUM_ABSOLUTE_ERROR, (double) prediction - label, weight);
    addErrors(
        values,
        TrainingState.SUM_NO_CHANGE_ABSOLUTE_ERROR,
        values[TrainingState.PREVIOUS_LABEL] - label,
        weight);
    addErrors(values, TrainingState.SUM_MEAN_ABSOLUTE_ERROR, mean - label, weight);
    values[TrainingState.PREVIOUS_LABEL] = label;
    values[TrainingState.LABEL_SUM] += label;
  }

  /** The square's sum stands behind that of the size. */
  private void addErrors(double[] values, int sum, double error, double weight) {
    add(values, sum, Math.abs(error), weight);
    add(values, sum + 1, error * error, weight);
  }

  private void addClass(TrainingState state, int actual, int predicted, double weight) {
    double[] values = state.values();
    long[] counters = state.counters();
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    if (actual == counters[TrainingState.PREVIOUS_CLASS]) {
      add(values, sums.noChangeRight() + actual, 1, weight);
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
    counters[TrainingState.PREVIOUS_CLASS] = actual;
    int counts = TrainingState.SUMS + sums.actual();
    if (majority < 0 || values[counts + actual] > values[counts + majority]) {
      counters[TrainingState.MAJORITY_CLASS] = actual;
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
