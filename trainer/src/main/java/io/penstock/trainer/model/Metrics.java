package io.penstock.trainer.model;

import org.jspecify.annotations.Nullable;

/**
 * Prequential metrics, each beside what it would be without a model; NaN where one does not apply to the kind of label, or before
 * the first row.
 *
 * @param loss mean of the loss that is made small, unweighted
 * @param model what the model reached
 * @param noChange what is reached by predicting the label of the row before: nothing before the first, a number 0
 * @param constant what is reached by predicting the most frequent class so far, or the mean of all numbers before (nothing before
 *     the first row, a number 0). The log loss is that of the classes' shares of the very rows that are judged: no constant has a
 *     smaller one (He et al., 2014). The areas are those of equal scores
 * @param kappa Cohen's kappa: accuracy against that of chance with the same marginal counts (Cohen, 1960); 0 where chance is
 *     always right
 * @param kappaT accuracy against the no-change baseline (Žliobaitė et al., 2015); 0 where that is always right
 * @param aucError how far the model's AUC can be from that of the scores without bins, likewise {@code prAucError}
 * @param confusion null where the label is no class, or one of more than 64
 */
public record Metrics(
    double loss,
    Scores model,
    Scores noChange,
    Scores constant,
    double kappa,
    double kappaT,
    double aucError,
    double prAucError,
    @Nullable Confusion confusion) {
  /** Before the first row. */
  public static final Metrics NONE =
      new Metrics(
          Double.NaN,
          Scores.NONE,
          Scores.NONE,
          Scores.NONE,
          Double.NaN,
          Double.NaN,
          Double.NaN,
          Double.NaN,
          null);

  /** The metrics of all rows, or those of the fading ones. */
  static Metrics of(TrainingState state, boolean fading) {
    if (state.counters()[TrainingState.ROWS] == 0) {
      return NONE;
    }
    return state.spec().classes() == 0
        ? ofNumbers(state, fading)
        : new ClassMetrics(state, fading).all();
  }

  private static Metrics ofNumbers(TrainingState state, boolean fading) {
    double[] values = state.values();
    int at = TrainingState.SUMS + (fading ? TrainingState.NUMBER_SUMS : 0);
    return new Metrics(
        values[at + TrainingState.SUM_LOSS] / values[at + TrainingState.SUM_ROWS],
        numberScores(values, at, TrainingState.SUM_ABSOLUTE_ERROR),
        numberScores(values, at, TrainingState.SUM_NO_CHANGE_ABSOLUTE_ERROR),
        numberScores(values, at, TrainingState.SUM_MEAN_ABSOLUTE_ERROR),
        Double.NaN,
        Double.NaN,
        Double.NaN,
        Double.NaN,
        null);
  }

  private static Scores numberScores(double[] values, int at, int errors) {
    double ofMean = values[at + TrainingState.SUM_MEAN_SQUARED_ERROR];
    double squares = values[at + errors + 1];
    return Scores.ofNumbers(
        values[at + TrainingState.SUM_ROWS],
        values[at + errors],
        squares,
        ofMean == 0 ? 0 : 1 - squares / ofMean);
  }

  /** Whether the label is one of classes. */
  public boolean ofClasses() {
    return !Double.isNaN(accuracy());
  }

  /** The model's. */
  public double accuracy() {
    return model.accuracy();
  }

  /** The model's. */
  public double logLoss() {
    return model.logLoss();
  }

  /** The model's. */
  public double mae() {
    return model.mae();
  }
}
