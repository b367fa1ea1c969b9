package io.penstock.trainer.model;

/**
 * How well a predictor did; NaN where a number does not apply to it, or to the kind of label. Of two classes, precision, recall
 * and F1 are those of class 1; of more, the means over the classes that were there or were predicted. What has no rows to be a
 * share of is 0.
 *
 * @param accuracy share of rows whose class was predicted
 * @param precision share of the rows predicted to be of a class that were
 * @param recall share of the rows of a class that were predicted to be
 * @param f1 harmonic mean of precision and recall
 * @param auc area under the ROC curve, of two classes ({@link ScoreBins#auc})
 * @param prAuc area under the precision-recall curve, of two classes ({@link ScoreBins#prAuc})
 * @param calibrationError expected calibration error: the distance between the probability said and the share that came true, in
 *     15 bins of the probability weighted by their rows; of class 1 where there are two, of the prediction where there are more
 *     (Guo et al., 2017). Of two classes within 1.2 · 10⁻⁵
 * @param logLoss mean of -ln p of the true class, p no less than 10⁻¹⁵
 * @param mae mean absolute error
 * @param rmse root of the mean squared error
 * @param r2 1 less the squared error's share of that of the mean of all rows before; 0 where that mean is always right
 */
public record Scores(
    double accuracy,
    double precision,
    double recall,
    double f1,
    double auc,
    double prAuc,
    double calibrationError,
    double logLoss,
    double mae,
    double rmse,
    double r2) {
  static final Scores NONE = ofNumbers(Double.NaN, Double.NaN, Double.NaN, Double.NaN);

  static Scores ofNumbers(double rows, double absoluteError, double squaredError, double r2) {
    double none = Double.NaN;
    return new Scores(
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        absoluteError / rows,
        Math.sqrt(squaredError / rows),
        r2);
  }
}
