package io.penstock.config;

/** How weights follow gradients; rules as in PyTorch, by whose names the settings go. */
public sealed interface OptimizerConfig {
  double learningRate();

  /** Bound on the gradient's global norm; 0: none. */
  double clipNorm();

  record Sgd(double learningRate, double clipNorm) implements OptimizerConfig {}

  record Momentum(double learningRate, double momentum, double clipNorm)
      implements OptimizerConfig {}

  record Nesterov(double learningRate, double momentum, double clipNorm)
      implements OptimizerConfig {}

  record Adagrad(double learningRate, double epsilon, double clipNorm) implements OptimizerConfig {}

  record RmsProp(double learningRate, double decay, double epsilon, double clipNorm)
      implements OptimizerConfig {}

  record Adam(double learningRate, double beta1, double beta2, double epsilon, double clipNorm)
      implements OptimizerConfig {}

  record AdamW(
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      double clipNorm)
      implements OptimizerConfig {}
}
