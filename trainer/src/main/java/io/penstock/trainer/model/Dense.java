package io.penstock.trainer.model;

/** A fully connected layer: activation(xW + b), W being [inputs][outputs]. */
public record Dense(int inputs, int outputs, Activation activation) {
  /** Validates. */
  public Dense {
    if (inputs < 1 || outputs < 1) {
      throw new IllegalArgumentException(
          "layer: inputs and outputs must be at least 1, not " + inputs + " and " + outputs);
    }
  }
}
