package io.penstock.trainer.nd4j;

import io.penstock.config.OptimizerConfig;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.TrainingState;

/**
 * Optimizer steps by the rules of PyTorch. ND4J's own updater operations are not used: its Adam adds epsilon at another place,
 * its Nesterov remembers something else, and on a processor they take two to four times as long.
 */
final class Optimizers {
  private final Calls calls;
  private final Operands operands;
  private final Scalars scalars;
  private final TrainingState training;

  Optimizers(Calls calls, Operands operands, Scalars scalars, TrainingState training) {
    this.calls = calls;
    this.operands = operands;
    this.scalars = scalars;
    this.training = training;
  }

  void bind(KernelCall.Update call) {
    calls.add(step -> prepare(call.rule(), step));
    Array w = operands.flat(call.parameters());
    Array g = operands.flat(call.gradient());
    if (call.rule().clipNorm() > 0) {
      Array scaled = operands.workFlat(2, call.parameters());
      calls.multiply(g, scalars.array(Scalars.SCALE), scaled);
      g = scaled;
    }
    double rate = call.rule().learningRate();
    switch (call.rule()) {
      case OptimizerConfig.Sgd r -> calls.axpy(-rate, g, w);
      case OptimizerConfig.Momentum r -> {
        Array m = velocity(call, r.momentum(), g);
        calls.axpy(-rate, m, w);
      }
      case OptimizerConfig.Nesterov r -> {
        Array m = velocity(call, r.momentum(), g);
        calls.axpy(-rate, g, w);
        calls.axpy(-rate * r.momentum(), m, w);
      }
      case OptimizerConfig.Adagrad r -> {
        Array v = remembered(call, 0);
        Array squares = operands.workFlat(0, call.parameters());
        calls.multiply(g, g, squares);
        calls.add(v, squares, v);
        divideByRoot(call, g, v, r.epsilon());
        calls.axpy(-rate, squares, w);
      }
      case OptimizerConfig.RmsProp r -> {
        Array v = remembered(call, 0);
        meanSquare(call, g, v, r.decay());
        divideByRoot(call, g, v, r.epsilon());
        calls.axpy(-rate, operands.workFlat(0, call.parameters()), w);
      }
      case OptimizerConfig.Adam r -> adam(call, g, r.beta1(), r.beta2(), r.epsilon());
      case OptimizerConfig.AdamW r -> {
        calls.multiply(w, operands.constant(1 - rate * r.weightDecay()), w);
        adam(call, g, r.beta1(), r.beta2(), r.epsilon());
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
  private Array velocity(KernelCall.Update call, double momentum, Array g) {
    Array m = remembered(call, 0);
    calls.multiply(m, operands.constant(momentum), m);
    calls.add(m, g, m);
    return m;
  }

  /** v = decay v + (1 - decay) g². */
  private void meanSquare(KernelCall.Update call, Array g, Array v, double decay) {
    Array squares = operands.workFlat(0, call.parameters());
    calls.multiply(g, g, squares);
    calls.multiply(v, operands.constant(decay), v);
    calls.axpy(1 - decay, squares, v);
  }

  /** g / (√v + epsilon), in the first work buffer. */
  private void divideByRoot(KernelCall.Update call, Array g, Array v, double epsilon) {
    Array quotient = operands.workFlat(0, call.parameters());
    calls.sqrt(v, quotient);
    calls.add(quotient, operands.constant(epsilon), quotient);
    calls.divide(g, quotient, quotient);
  }

  /** m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²; w -= rate m / (√v root + epsilon). */
  private void adam(KernelCall.Update call, Array g, double beta1, double beta2, double epsilon) {
    Array w = operands.flat(call.parameters());
    Array m = remembered(call, 0);
    Array v = remembered(call, 1);
    Array move = operands.workFlat(0, call.parameters());
    calls.multiply(m, operands.constant(beta1), m);
    calls.axpy(1 - beta1, g, m);
    meanSquare(call, g, v, beta2);
    calls.sqrt(v, move);
    calls.multiply(move, scalars.array(Scalars.ROOT), move);
    calls.add(move, operands.constant(epsilon), move);
    calls.divide(m, move, move);
    calls.multiply(move, scalars.array(Scalars.RATE), move);
    calls.subtract(w, move, w);
  }

  /** Buffer {@code index} of what the rule remembers. */
  private Array remembered(KernelCall.Update call, int index) {
    Matrix all = call.state();
    long size = call.parameters().columns();
    return operands.buffer(all).vector(all.offset() + index * size, size);
  }
}
