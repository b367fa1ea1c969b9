package io.penstock.trainer.nd4j;

import io.penstock.config.OptimizerConfig;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.TrainingState;

/**
 * Optimizer steps by the rules of PyTorch. ND4J's own updater operations are not used: its Adam adds epsilon at another place,
 * its Nesterov remembers something else, and on a processor they take two to four times as long. There, the parameters go
 * through all operations in parts that stay in the cache.
 */
final class Optimizers {
  /** Parameters, gradient, state and two work arrays of a part are half a megabyte at most. */
  private static final int PART = 16 * 1024;

  private final Calls calls;
  private final Operands operands;
  private final Scalars scalars;
  private final TrainingState training;
  private final boolean inParts;

  Optimizers(
      Calls calls, Operands operands, Scalars scalars, TrainingState training, boolean inParts) {
    this.calls = calls;
    this.operands = operands;
    this.scalars = scalars;
    this.training = training;
    this.inParts = inParts;
  }

  void bind(KernelCall.Update call) {
    calls.add(step -> prepare(call.rule(), step));
    int size = call.parameters().columns();
    int most = inParts ? PART : size;
    for (int from = 0; from < size; from += most) {
      bind(call, new Part(call, from, Math.min(most, size - from)));
    }
  }

  /** Some of the parameters, and what goes with them. */
  private final class Part {
    private final KernelCall.Update call;
    private final long from;
    private final long count;

    Part(KernelCall.Update call, long from, long count) {
      this.call = call;
      this.from = from;
      this.count = count;
    }

    Array parameters() {
      return of(call.parameters(), 0);
    }

    Array gradient() {
      return of(call.gradient(), 0);
    }

    /** Of buffer {@code index} of what the rule remembers. */
    Array remembered(int index) {
      return of(call.state(), (long) index * call.parameters().columns());
    }

    private Array of(Matrix all, long base) {
      return operands.buffer(all).vector(all.offset() + base + from, count);
    }

    Array work(int index) {
      return operands.work(index).vector(0, count);
    }
  }

  private void bind(KernelCall.Update call, Part part) {
    Array w = part.parameters();
    Array g = part.gradient();
    if (call.rule().clipNorm() > 0) {
      calls.multiply(g, scalars.array(Scalars.SCALE), part.work(1));
      g = part.work(1);
    }
    double rate = call.rule().learningRate();
    switch (call.rule()) {
      case OptimizerConfig.Sgd r -> calls.axpy(-rate, g, w);
      case OptimizerConfig.Momentum r -> {
        velocity(part.remembered(0), r.momentum(), g);
        calls.axpy(-rate, part.remembered(0), w);
      }
      case OptimizerConfig.Nesterov r -> {
        velocity(part.remembered(0), r.momentum(), g);
        calls.axpy(-rate, g, w);
        calls.axpy(-rate * r.momentum(), part.remembered(0), w);
      }
      case OptimizerConfig.Adagrad r -> {
        Array v = part.remembered(0);
        Array move = part.work(0);
        calls.multiply(g, g, move);
        calls.add(v, move, v);
        divideByRoot(g, v, r.epsilon(), move);
        calls.axpy(-rate, move, w);
      }
      case OptimizerConfig.RmsProp r -> {
        Array v = part.remembered(0);
        Array move = part.work(0);
        meanSquare(g, v, r.decay(), move);
        divideByRoot(g, v, r.epsilon(), move);
        calls.axpy(-rate, move, w);
      }
      case OptimizerConfig.Adam r -> adam(part, g, r.beta1(), r.beta2(), r.epsilon());
      case OptimizerConfig.AdamW r -> {
        calls.multiply(w, operands.constant(1 - rate * r.weightDecay()), w);
        adam(part, g, r.beta1(), r.beta2(), r.epsilon());
      }
    }
  }

  /** What changes with the step. */
  private void prepare(OptimizerConfig rule, Step step) {
    scalars.set(Scalars.SCALE, step.scale);
    switch (rule) {
      case OptimizerConfig.Adam r -> corrections(r.learningRate(), r.beta1(), r.beta2());
      case OptimizerConfig.AdamW r -> corrections(r.learningRate(), r.beta1(), r.beta2());
      default -> {
        // rates that stay
      }
    }
    scalars.send();
  }

  private void corrections(double rate, double beta1, double beta2) {
    double[] values = training.values();
    double power1 = values[TrainingState.BETA1_POWER] * beta1;
    double power2 = values[TrainingState.BETA2_POWER] * beta2;
    values[TrainingState.BETA1_POWER] = power1;
    values[TrainingState.BETA2_POWER] = power2;
    scalars.set(Scalars.RATE, rate / (1 - power1));
    scalars.set(Scalars.ROOT, 1 / Math.sqrt(1 - power2));
  }

  /** m = momentum m + g. */
  private void velocity(Array m, double momentum, Array g) {
    calls.multiply(m, operands.constant(momentum), m);
    calls.add(m, g, m);
  }

  /** v = decay v + (1 - decay) g². */
  private void meanSquare(Array g, Array v, double decay, Array squares) {
    calls.multiply(g, g, squares);
    calls.multiply(v, operands.constant(decay), v);
    calls.axpy(1 - decay, squares, v);
  }

  /** g / (√v + epsilon). */
  private void divideByRoot(Array g, Array v, double epsilon, Array quotient) {
    calls.sqrt(v, quotient);
    calls.add(quotient, operands.constant(epsilon), quotient);
    calls.divide(g, quotient, quotient);
  }

  /** m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²; w -= rate m / (√v root + epsilon). */
  private void adam(Part part, Array g, double beta1, double beta2, double epsilon) {
    Array w = part.parameters();
    Array m = part.remembered(0);
    Array v = part.remembered(1);
    Array move = part.work(0);
    calls.multiply(m, operands.constant(beta1), m);
    calls.axpy(1 - beta1, g, m);
    meanSquare(g, v, beta2, move);
    calls.sqrt(v, move);
    calls.multiply(move, scalars.array(Scalars.ROOT), move);
    calls.add(move, operands.constant(epsilon), move);
    calls.divide(m, move, move);
    calls.multiply(move, scalars.array(Scalars.RATE), move);
    calls.subtract(w, move, w);
  }
}
