package io.penstock.trainer.cpu;

import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.RowMetrics;
import io.penstock.trainer.model.TrainingState;

/** Adds a minibatch's rows to the metrics, in their order, in double precision. */
final class Prequential {
  private final RowMetrics metrics;

  Prequential(MetricsSpec spec) {
    metrics = new RowMetrics(spec);
  }

  /** Sum over rows of weight · loss. */
  static double weightedLoss(long weights, long losses, int rows) {
    double sum = 0;
    for (int row = 0; row < rows; row++) {
      float weight = Memory.get(weights + 4L * row);
      if (weight != 0) {
        sum = Math.fma((double) weight, Memory.get(losses + 4L * row), sum);
      }
    }
    return sum;
  }

  void add(
      TrainingState state,
      long labels,
      long weights,
      long losses,
      long predictions,
      long scores,
      int rows) {
    for (int row = 0; row < rows; row++) {
      if (Memory.get(weights + 4L * row) != 0) {
        metrics.add(
            state,
            Memory.get(labels + 4L * row),
            Memory.get(predictions + 4L * row),
            Memory.get(scores + 4L * row),
            Memory.get(losses + 4L * row));
      }
    }
  }
}
