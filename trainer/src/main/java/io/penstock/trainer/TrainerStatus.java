package io.penstock.trainer;

import io.penstock.trainer.model.Evaluation;

/**
 * How far training is: one moment of the device thread.
 *
 * @param stepsApplied steps that changed the weights, since the run began (restored runs included)
 * @param stepsSkipped steps that changed no weight
 * @param rowsTrained rows of applied steps
 * @param trainedHash {@link io.penstock.pipeline.RowTally#hash} of those rows
 * @param rowsSkipped rows of skipped steps
 * @param skippedHash of those
 * @param rowsLost rows whose steps were undone, and which could not be had again
 * @param lostHash of those
 * @param skippedInARow steps since the last that was applied, those without weight left out
 * @param rollbacks how often the run has gone back to a checkpoint, to do without rows
 * @param learningRateFactor what rollbacks have left of the learning rate
 * @param loss mean loss of the last step; NaN before the first
 * @param stepNanos from a step's submission to the end it was seen at
 * @param freshnessNanos from a row's event time to the end of its step
 */
public record TrainerStatus(
    long stepsApplied,
    long stepsSkipped,
    long rowsTrained,
    String trainedHash,
    long rowsSkipped,
    String skippedHash,
    long rowsLost,
    String lostHash,
    int skippedInARow,
    long rollbacks,
    double learningRateFactor,
    double loss,
    Evaluation evaluation,
    Quantiles stepNanos,
    Quantiles freshnessNanos) {

  /** Half of all durations, and 99 of 100, are no longer than these; NaN where there are none. */
  public record Quantiles(double p50, double p99) {
    static Quantiles of(Histogram histogram) {
      return new Quantiles(histogram.quantile(0.5), histogram.quantile(0.99));
    }
  }
}
