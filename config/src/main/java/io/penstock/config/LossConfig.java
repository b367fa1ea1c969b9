package io.penstock.config;

/** What is made small. The mean over rows, weighted by the rows' weights. */
public sealed interface LossConfig {
  /** By the label: softmax for three classes or more (or a softmax model), sigmoid for two, squared for a number. */
  record Auto() implements LossConfig {}

  /** Cross entropy of a softmax. */
  record Softmax() implements LossConfig {}

  /** Cross entropy of a sigmoid. */
  record Sigmoid() implements LossConfig {}

  /** Half the squared error. */
  record Squared() implements LossConfig {}

  /**
   * Squared up to {@code delta}, linear beyond.
   *
   * @param delta where the one becomes the other, in the label's unit
   */
  record Huber(@Key(byDefault = "1", range = "(0, inf)") double delta) implements LossConfig {
    /** Checks ranges. */
    public Huber {
      Setting.check(Huber.class, delta);
    }
  }

  /**
   * The pinball loss of a quantile.
   *
   * @param tau which quantile; 0.5 is the median
   */
  record Quantile(@Key(byDefault = "0.5", range = "(0, 1)") double tau) implements LossConfig {
    /** Checks ranges. */
    public Quantile {
      Setting.check(Quantile.class, tau);
    }
  }
}
