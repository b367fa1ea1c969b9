package io.penstock.trainer.model;

import io.penstock.config.ModelConfig;

/** What a layer's sum goes through. */
public enum Activation {
  IDENTITY,
  /** max(0, z). */
  RELU,
  /** z · sigmoid(2u), u = √(2/π) (z + 0.044715 z³): the tanh form of Hendrycks and Gimpel, 2016, by tanh u = 2 sigmoid(2u) - 1. */
  GELU,
  /** z · sigmoid(z). */
  SILU,
  TANH,
  SIGMOID;

  /** Whether the derivative needs z; the others have theirs from the layer's output. */
  public boolean differentiatesInput() {
    return this == GELU || this == SILU;
  }

  /** Whether the function is like ReLU for large sums, so that He's variance fits. */
  boolean rectifies() {
    return this == RELU || this == GELU || this == SILU;
  }

  static Activation of(ModelConfig.Activation activation) {
    return switch (activation) {
      case RELU -> RELU;
      case GELU -> GELU;
      case SILU -> SILU;
      case TANH -> TANH;
      case SIGMOID -> SIGMOID;
    };
  }
}
