package io.penstock.trainer.model;

/**
 * What is evaluated, test-then-train.
 *
 * @param classes of the label, 0 for a number
 * @param window rows over which windowed metrics fade: a row weighs (1 - 1/window) to the power of its age
 */
public record MetricsSpec(int classes, int window) {
  /** Validates. */
  public MetricsSpec {
    if (window < 2) {
      throw new IllegalArgumentException("evaluation: window must be at least 2, not " + window);
    }
  }

  /** What a row's share is multiplied by with each row that follows. */
  public double fade() {
    return 1 - 1.0 / window;
  }
}
