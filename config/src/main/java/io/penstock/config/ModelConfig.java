package io.penstock.config;

import java.util.List;

/** What is trained. */
public sealed interface ModelConfig {

  /** How weights begin. */
  enum Initial {
    /** Uniform with a variance that fits the activation (He for ReLU, GELU and SiLU, Glorot else); biases 0. */
    RANDOM,
    /** All 0. */
    ZERO
  }

  /**
   * One linear output: regression.
   *
   * @param initial how weights begin
   */
  record Linear(@Key(byDefault = "random") Initial initial) implements ModelConfig {}

  /**
   * One linear output behind a sigmoid: two classes.
   *
   * @param initial how weights begin
   */
  record Logistic(@Key(byDefault = "random") Initial initial) implements ModelConfig {}

  /**
   * A linear output for each class.
   *
   * @param initial how weights begin
   */
  record Softmax(@Key(byDefault = "random") Initial initial) implements ModelConfig {}

  /**
   * Fully connected layers. The output has the width that the label asks for.
   *
   * @param hidden widths of the hidden layers
   * @param activation of the hidden layers
   */
  record Mlp(
      @Key(byDefault = "[64]", range = "[1, 65536]") List<Integer> hidden,
      @Key(byDefault = "relu") Activation activation)
      implements ModelConfig {
    /** Checks ranges. */
    public Mlp {
      hidden = List.copyOf(hidden);
      Setting.check(Mlp.class, hidden, activation);
    }
  }

  /** What a hidden unit makes of its sum. */
  enum Activation {
    /** max(0, x). */
    RELU,
    /** In its tanh form. */
    GELU,
    /** x sigmoid(x). */
    SILU,
    /** tanh(x). */
    TANH,
    /** 1 / (1 + exp(-x)). */
    SIGMOID
  }
}
