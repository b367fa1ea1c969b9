package io.penstock.trainer.cpu;

import io.penstock.config.OptimizerConfig;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.TrainingState;

/** Binds the rule of an optimizer. All of them leave everything as it is where the step is not to be applied. */
final class Optimizers {
  private Optimizers() {}

  /**
   * The kernel of {@code config}.
   *
   * @param w address of the parameters, {@code g} of the gradient, {@code s} of what the rule remembers
   * @param size parameters
   */
  static Kernel bind(OptimizerConfig config, long w, long g, long s, int size) {
    Kernel rule = rule(config, w, g, s, size);
    return step -> {
      if (step.status == Status.APPLIED) {
        rule.run(step);
      }
    };
  }

  private static Kernel rule(OptimizerConfig config, long w, long g, long s, int size) {
    float rate = (float) config.learningRate();
    return switch (config) {
      case OptimizerConfig.Sgd c -> step -> Updates.sgd(w, g, size, rate, step.scale);
      case OptimizerConfig.Momentum c -> {
        float momentum = (float) c.momentum();
        yield step -> Updates.momentum(w, g, s, size, rate, momentum, step.scale);
      }
      case OptimizerConfig.Nesterov c -> {
        float momentum = (float) c.momentum();
        yield step -> Updates.nesterov(w, g, s, size, rate, momentum, step.scale);
      }
      case OptimizerConfig.Adagrad c -> {
        float epsilon = (float) c.epsilon();
        yield step -> Updates.adagrad(w, g, s, size, rate, epsilon, step.scale);
      }
      case OptimizerConfig.RmsProp c -> {
        float epsilon = (float) c.epsilon();
        float decay = (float) c.decay();
        float rest = (float) (1 - c.decay());
        yield step -> Updates.rmsProp(w, g, s, size, rate, decay, rest, epsilon, step.scale);
      }
      case OptimizerConfig.Adam c -> adam(withoutDecay(c), w, g, s, size);
      case OptimizerConfig.AdamW c -> adam(c, w, g, s, size);
    };
  }

  private static OptimizerConfig.AdamW withoutDecay(OptimizerConfig.Adam c) {
    return new OptimizerConfig.AdamW(
        c.learningRate(), c.beta1(), c.beta2(), c.epsilon(), 0, c.clipNorm());
  }

  private static Kernel adam(OptimizerConfig.AdamW c, long w, long g, long m, int size) {
    long v = m + (long) size * Float.BYTES;
    double rate = c.learningRate();
    double beta1 = c.beta1();
    double beta2 = c.beta2();
    float rest1 = (float) (1 - beta1);
    float rest2 = (float) (1 - beta2);
    float epsilon = (float) c.epsilon();
    float shrink = (float) (1 - rate * c.weightDecay());
    return step -> {
      double[] values = step.state.values();
      double power1 = values[TrainingState.BETA1_POWER] * beta1;
      double power2 = values[TrainingState.BETA2_POWER] * beta2;
      values[TrainingState.BETA1_POWER] = power1;
      values[TrainingState.BETA2_POWER] = power2;
      float corrected = (float) (rate / (1 - power1));
      float root = (float) (1 / Math.sqrt(1 - power2));
      Updates.adam(
          w,
          g,
          m,
          v,
          size,
          corrected,
          root,
          (float) beta1,
          rest1,
          (float) beta2,
          rest2,
          epsilon,
          shrink,
          step.scale);
    };
  }
}
