package io.penstock.config;

/** How weights follow gradients; rules as in PyTorch, by whose names the settings go. */
@Planned({"ftrl"})
public sealed interface OptimizerConfig {
  /** Step size. */
  double learningRate();

  /** Bound on the gradient's global norm; 0: none. */
  double clipNorm();

  /** The same rule with another step size. */
  OptimizerConfig withLearningRate(double rate);

  /**
   * Stochastic gradient descent.
   *
   * @param learningRate step size
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record Sgd(
      @Key(byDefault = "0.01", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public Sgd {
      Setting.check(Sgd.class, learningRate, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new Sgd(rate, clipNorm);
    }
  }

  /**
   * Descent with a velocity.
   *
   * @param learningRate step size
   * @param momentum share of the velocity that stays
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record Momentum(
      @Key(byDefault = "0.01", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0.9", range = "[0, 1)") double momentum,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public Momentum {
      Setting.check(Momentum.class, learningRate, momentum, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new Momentum(rate, momentum, clipNorm);
    }
  }

  /**
   * Momentum that looks ahead.
   *
   * @param learningRate step size
   * @param momentum share of the velocity that stays
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record Nesterov(
      @Key(byDefault = "0.01", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0.9", range = "[0, 1)") double momentum,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public Nesterov {
      Setting.check(Nesterov.class, learningRate, momentum, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new Nesterov(rate, momentum, clipNorm);
    }
  }

  /**
   * Rates that shrink with the sum of squared gradients.
   *
   * @param learningRate step size
   * @param epsilon added to the root, against division by zero
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record Adagrad(
      @Key(byDefault = "0.01", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "1e-10", range = "(0, inf)") double epsilon,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public Adagrad {
      Setting.check(Adagrad.class, learningRate, epsilon, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new Adagrad(rate, epsilon, clipNorm);
    }
  }

  /**
   * Rates by a fading mean of squared gradients.
   *
   * @param learningRate step size
   * @param decay share of the mean square that stays (alpha in PyTorch)
   * @param epsilon added to the root, against division by zero
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record RmsProp(
      @Key(byDefault = "0.01", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0.99", range = "[0, 1)") double decay,
      @Key(byDefault = "1e-8", range = "(0, inf)") double epsilon,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public RmsProp {
      Setting.check(RmsProp.class, learningRate, decay, epsilon, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new RmsProp(rate, decay, epsilon, clipNorm);
    }
  }

  /**
   * Fading means of gradients and of their squares.
   *
   * @param learningRate step size
   * @param beta1 share of the mean that stays
   * @param beta2 share of the mean square that stays
   * @param epsilon added to the root, against division by zero
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record Adam(
      @Key(byDefault = "0.001", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0.9", range = "[0, 1)") double beta1,
      @Key(byDefault = "0.999", range = "[0, 1)") double beta2,
      @Key(byDefault = "1e-8", range = "(0, inf)") double epsilon,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public Adam {
      Setting.check(Adam.class, learningRate, beta1, beta2, epsilon, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new Adam(rate, beta1, beta2, epsilon, clipNorm);
    }
  }

  /**
   * Adam with weight decay apart from the gradient.
   *
   * @param learningRate step size
   * @param beta1 share of the mean that stays
   * @param beta2 share of the mean square that stays
   * @param epsilon added to the root, against division by zero
   * @param weightDecay share of the weights, times the learning rate, that each step takes away
   * @param clipNorm bound on the gradient's global norm; 0, {@code none}: none
   */
  record AdamW(
      @Key(byDefault = "0.001", range = "(0, inf)", mayChange = true) double learningRate,
      @Key(byDefault = "0.9", range = "[0, 1)") double beta1,
      @Key(byDefault = "0.999", range = "[0, 1)") double beta2,
      @Key(byDefault = "1e-8", range = "(0, inf)") double epsilon,
      @Key(byDefault = "0.01", range = "[0, inf)") double weightDecay,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double clipNorm)
      implements OptimizerConfig {
    /** Checks ranges. */
    public AdamW {
      Setting.check(AdamW.class, learningRate, beta1, beta2, epsilon, weightDecay, clipNorm);
    }

    @Override
    public OptimizerConfig withLearningRate(double rate) {
      return new AdamW(rate, beta1, beta2, epsilon, weightDecay, clipNorm);
    }
  }
}
