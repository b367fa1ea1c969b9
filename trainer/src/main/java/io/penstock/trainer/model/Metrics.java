package io.penstock.trainer.model;

/**
 * Prequential metrics; NaN where one does not apply to the kind of label, or before the first row.
 *
 * @param loss mean of the loss that is made small, unweighted
 * @param accuracy share of rows whose class was predicted
 * @param kappa Cohen's kappa: accuracy against that of chance with the same marginal counts (Cohen, 1960); 0 where chance is
 *     always right
 * @param kappaT accuracy against the no-change baseline (Žliobaitė et al., 2015); 0 where that is always right
 * @param noChangeAccuracy of predicting the class of the row before
 * @param majorityAccuracy of predicting the most frequent class so far
 * @param logLoss mean of -ln p of the true class, p no less than 10⁻¹⁵
 * @param mae mean absolute error
 * @param rmse root of the mean squared error
 */
public record Metrics(
    double loss,
    double accuracy,
    double kappa,
    double kappaT,
    double noChangeAccuracy,
    double majorityAccuracy,
    double logLoss,
    double mae,
    double rmse) {

  static Metrics of(double[] sums, int classes) {
    double rows = sums[TrainingState.SUM_ROWS];
    double loss = sums[TrainingState.SUM_LOSS] / rows;
    double none = Double.NaN;
    if (classes == 0) {
      double mae = sums[TrainingState.SUM_ABSOLUTE_ERROR] / rows;
      double rmse = Math.sqrt(sums[TrainingState.SUM_SQUARED_ERROR] / rows);
      return new Metrics(loss, none, none, none, none, none, none, mae, rmse);
    }
    double accuracy = sums[TrainingState.SUM_CORRECT] / rows;
    double noChange = sums[TrainingState.SUM_NO_CHANGE_CORRECT] / rows;
    return new Metrics(
        loss,
        accuracy,
        against(accuracy, chance(sums, classes)),
        against(accuracy, noChange),
        noChange,
        sums[TrainingState.SUM_MAJORITY_CORRECT] / rows,
        sums[TrainingState.SUM_LOG_LOSS] / rows,
        none,
        none);
  }

  private static double chance(double[] sums, int classes) {
    double rows = sums[TrainingState.SUM_ROWS];
    double both = 0;
    for (int c = 0; c < classes; c++) {
      both +=
          sums[TrainingState.SUM_ACTUAL + c]
              / rows
              * (sums[TrainingState.SUM_ACTUAL + classes + c] / rows);
    }
    return both;
  }

  private static double against(double accuracy, double baseline) {
    return baseline == 1 ? 0 : (accuracy - baseline) / (1 - baseline);
  }
}
