package io.penstock.trainer.cuda;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;

/** Choices as kernels know them; headers of kernels have the same numbers. */
final class Codes {
  private Codes() {}

  /** As activations.cuh has them. */
  static int of(Activation activation) {
    return switch (activation) {
      case IDENTITY -> 0;
      case RELU -> 1;
      case GELU -> 2;
      case SILU -> 3;
      case TANH -> 4;
      case SIGMOID -> 5;
    };
  }

  /** As losses.cuh has them. */
  static int of(KernelCall.Loss loss) {
    return switch (loss) {
      case KernelCall.SoftmaxCrossEntropy l -> 0;
      case KernelCall.SigmoidCrossEntropy l -> 1;
      case KernelCall.SquaredError l -> 2;
      case KernelCall.Huber l -> 3;
      case KernelCall.Quantile l -> 4;
    };
  }

  /** The number that a loss has of its own; 0 where it has none. */
  static float number(KernelCall.Loss loss) {
    return switch (loss) {
      case KernelCall.Huber l -> l.delta();
      case KernelCall.Quantile l -> l.tau();
      case KernelCall.SoftmaxCrossEntropy l -> 0;
      case KernelCall.SigmoidCrossEntropy l -> 0;
      case KernelCall.SquaredError l -> 0;
    };
  }
}
