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

  /** Squared up to {@code delta}, linear beyond. */
  record Huber(double delta) implements LossConfig {}

  /** The pinball loss of quantile {@code tau}. */
  record Quantile(double tau) implements LossConfig {}
}
