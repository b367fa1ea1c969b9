package io.penstock.trainer.model;

/**
 * What is evaluated, test-then-train.
 *
 * @param classes of the label, 0 for a number
 * @param window rows over which windowed metrics fade: a row weighs (1 - 1/window) to the power of its age
 * @param late whether baselines may know less than all labels of the rows before: see {@link RowMetrics#score}
 */
public record MetricsSpec(int classes, int window, boolean late) {
  /** Validates. */
  public MetricsSpec {
    if (window < 2) {
      throw new IllegalArgumentException("evaluation: window must be at least 2, not " + window);
    }
  }

  /** Baselines that know the labels of all rows before. */
  public MetricsSpec(int classes, int window) {
    this(classes, window, false);
  }

  /** What a row's share is multiplied by with each row that follows. */
  public double fade() {
    return 1 - 1.0 / window;
  }
}
