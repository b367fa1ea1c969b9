package io.penstock.trainer.device;

import io.penstock.config.OptimizerConfig;

/** The optimizers' rules, value by value, as PyTorch's documentation has them. */
final class ReferenceRule {
  private final OptimizerConfig rule;

  ReferenceRule(OptimizerConfig rule) {
    this.rule = rule;
  }

  /** A parameter after a step, and what the rule remembers of it; a rule that remembers less leaves the rest as it was. */
  record Updated(Rounded parameter, Rounded first, Rounded second) {}

  /**
   * One step.
   *
   * @param gradient within its bound
   * @param steps steps applied, this one included
   */
  Updated update(double parameter, Rounded gradient, double first, double second, int steps) {
    Rounded w = Rounded.exactly(parameter);
    Rounded s = Rounded.exactly(second);
    Rounded rate = Rounded.once(rule.learningRate());
    return switch (rule) {
      case OptimizerConfig.Sgd r ->
          new Updated(w.minus(rate.times(gradient)), Rounded.exactly(first), s);
      case OptimizerConfig.Momentum r -> {
        Rounded m = Rounded.once(r.momentum()).times(first).plus(gradient);
        yield new Updated(w.minus(rate.times(m)), m, s);
      }
      case OptimizerConfig.Nesterov r -> {
        Rounded m = Rounded.once(r.momentum()).times(first).plus(gradient);
        Rounded ahead = gradient.plus(Rounded.once(r.momentum()).times(m));
        yield new Updated(w.minus(rate.times(ahead)), m, s);
      }
      case OptimizerConfig.Adagrad r -> {
        Rounded v = gradient.times(gradient).plus(first);
        yield new Updated(w.minus(adapted(rate, gradient, v.root(), r.epsilon())), v, s);
      }
      case OptimizerConfig.RmsProp r -> {
        Rounded v = mean(r.decay(), first, gradient.times(gradient));
        yield new Updated(w.minus(adapted(rate, gradient, v.root(), r.epsilon())), v, s);
      }
      case OptimizerConfig.Adam r ->
          adam(w, gradient, first, second, r.beta1(), r.beta2(), r.epsilon(), steps);
      case OptimizerConfig.AdamW r ->
          adam(
              w.times(Rounded.once(1 - r.learningRate() * r.weightDecay())),
              gradient,
              first,
              second,
              r.beta1(),
              r.beta2(),
              r.epsilon(),
              steps);
    };
  }

  private Updated adam(
      Rounded w,
      Rounded gradient,
      double first,
      double second,
      double beta1,
      double beta2,
      double epsilon,
      int steps) {
    Rounded m = mean(beta1, first, gradient);
    Rounded v = mean(beta2, second, gradient.times(gradient));
    Rounded rate = Rounded.once(rule.learningRate() / (1 - Math.pow(beta1, steps)));
    Rounded root = v.root().times(Rounded.once(1 / Math.sqrt(1 - Math.pow(beta2, steps))));
    return new Updated(w.minus(adapted(rate, m, root, epsilon)), m, v);
  }

  /** share · old + (1 - share) · added. */
  private static Rounded mean(double share, double old, Rounded added) {
    return Rounded.once(share).times(old).plus(Rounded.once(1 - share).times(added));
  }

  /** rate · direction / (root + epsilon). */
  private static Rounded adapted(Rounded rate, Rounded direction, Rounded root, double epsilon) {
    return rate.times(direction).over(root.plus(Rounded.once(epsilon)));
  }
}
