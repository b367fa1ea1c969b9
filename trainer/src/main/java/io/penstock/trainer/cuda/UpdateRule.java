package io.penstock.trainer.cuda;

import io.penstock.config.OptimizerConfig;
import java.util.List;

/**
 * An optimizer as kernels know it.
 *
 * @param kernel of optimizers.cu
 * @param code of optimizers.cuh
 * @param states buffers of the parameters' size that it remembers things in
 * @param numbers of the rule, in the kernel's order
 * @param adam what Adam's factors are made of; zeros for the other rules
 */
record UpdateRule(String kernel, int code, int states, List<Float> numbers, Adam adam) {
  private static final Adam NONE = new Adam(0, 0, 0);

  /** Learning rate and betas, in double precision. */
  record Adam(double rate, double beta1, double beta2) {}

  static UpdateRule of(OptimizerConfig rule) {
    float rate = (float) rule.learningRate();
    return switch (rule) {
      case OptimizerConfig.Sgd c -> plain("sgd", 0, 0, rate);
      case OptimizerConfig.Momentum c -> plain("momentum", 1, 1, rate, (float) c.momentum());
      case OptimizerConfig.Nesterov c -> plain("nesterov", 2, 1, rate, (float) c.momentum());
      case OptimizerConfig.Adagrad c -> plain("adagrad", 3, 1, rate, (float) c.epsilon());
      case OptimizerConfig.RmsProp c ->
          plain(
              "rmsProp",
              4,
              1,
              rate,
              (float) c.decay(),
              (float) (1 - c.decay()),
              (float) c.epsilon());
      case OptimizerConfig.Adam c ->
          adam(new Adam(c.learningRate(), c.beta1(), c.beta2()), c.epsilon(), 0);
      case OptimizerConfig.AdamW c ->
          adam(new Adam(c.learningRate(), c.beta1(), c.beta2()), c.epsilon(), c.weightDecay());
    };
  }

  private static UpdateRule plain(String kernel, int code, int states, Float... numbers) {
    return new UpdateRule(kernel, code, states, List.of(numbers), NONE);
  }

  private static UpdateRule adam(Adam adam, double epsilon, double weightDecay) {
    return new UpdateRule(
        "adam",
        5,
        2,
        List.of(
            (float) adam.beta1(),
            (float) (1 - adam.beta1()),
            (float) adam.beta2(),
            (float) (1 - adam.beta2()),
            (float) epsilon,
            (float) (1 - adam.rate() * weightDecay)),
        adam);
  }

  boolean isAdam() {
    return !adam.equals(NONE);
  }
}
