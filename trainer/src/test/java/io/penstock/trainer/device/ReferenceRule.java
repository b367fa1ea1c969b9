package io.penstock.trainer.device;

import io.penstock.config.OptimizerConfig;

/** The optimizers' rules in double precision, value by value. */
final class ReferenceRule {
  private final OptimizerConfig rule;
  private final double[] first;
  private final double[] second;
  private int steps;

  ReferenceRule(OptimizerConfig rule, int size) {
    this.rule = rule;
    first = new double[size];
    second = new double[size];
  }

  void update(double[] w, double[] g) {
    steps++;
    double norm = 0;
    for (double v : g) {
      norm += v * v;
    }
    norm = Math.sqrt(norm);
    double scale = rule.clipNorm() == 0 ? 1 : Math.min(1, rule.clipNorm() / (norm + 1e-6));
    for (int i = 0; i < w.length; i++) {
      w[i] = updated(i, w[i], g[i] * scale);
    }
  }

  private double updated(int i, double w, double g) {
    double rate = rule.learningRate();
    return switch (rule) {
      case OptimizerConfig.Sgd r -> w - rate * g;
      case OptimizerConfig.Momentum r -> {
        first[i] = r.momentum() * first[i] + g;
        yield w - rate * first[i];
      }
      case OptimizerConfig.Nesterov r -> {
        first[i] = r.momentum() * first[i] + g;
        yield w - rate * (g + r.momentum() * first[i]);
      }
      case OptimizerConfig.Adagrad r -> {
        first[i] += g * g;
        yield w - rate * g / (Math.sqrt(first[i]) + r.epsilon());
      }
      case OptimizerConfig.RmsProp r -> {
        first[i] = r.decay() * first[i] + (1 - r.decay()) * g * g;
        yield w - rate * g / (Math.sqrt(first[i]) + r.epsilon());
      }
      case OptimizerConfig.Adam r -> adam(i, w, g, rate, r.beta1(), r.beta2(), r.epsilon());
      case OptimizerConfig.AdamW r ->
          adam(i, w * (1 - rate * r.weightDecay()), g, rate, r.beta1(), r.beta2(), r.epsilon());
    };
  }

  private double adam(
      int i, double w, double g, double rate, double beta1, double beta2, double epsilon) {
    first[i] = beta1 * first[i] + (1 - beta1) * g;
    second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    double mean = first[i] / (1 - Math.pow(beta1, steps));
    double squares = second[i] / (1 - Math.pow(beta2, steps));
    return w - rate * mean / (Math.sqrt(squares) + epsilon);
  }
}
