package io.penstock.config;

import java.util.List;

/** What is trained. */
public sealed interface ModelConfig {

  /** How weights begin. */
  enum Initial {
    /** Uniform with a variance that fits the activation (He for ReLU, GELU and SiLU, Glorot else); biases 0. */
    RANDOM,
    ZERO
  }

  /** One linear output: regression. */
  record Linear(Initial initial) implements ModelConfig {}

  /** One linear output behind a sigmoid: two classes. */
  record Logistic(Initial initial) implements ModelConfig {}

  /** A linear output for each class. */
  record Softmax(Initial initial) implements ModelConfig {}

  /**
   * Fully connected layers. The output has the width that the label asks for.
   *
   * @param hidden widths of the hidden layers
   */
  record Mlp(List<Integer> hidden, Activation activation) implements ModelConfig {}

  enum Activation {
    RELU,
    /** In its tanh form. */
    GELU,
    SILU,
    TANH,
    SIGMOID
  }
}
