package io.penstock.trainer.nd4j;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Matrix;

/** Activations and their derivatives, over all lanes. */
final class Activations {
  /** 2u = z (LINEAR + CUBIC z²), see {@link Activation#GELU}. */
  private static final double LINEAR = 2 * Math.sqrt(2 / Math.PI);

  private static final double CUBIC = LINEAR * 0.044715;

  private static final double MAX_EXPONENT = 40;

  private final Calls calls;
  private final Operands operands;

  Activations(Calls calls, Operands operands) {
    this.calls = calls;
    this.operands = operands;
  }

  /** a = activation(z), which may be the same place. */
  void forward(Activation activation, Matrix from, Matrix to) {
    Array z = operands.flat(from);
    Array a = operands.flat(to);
    Array gate = operands.workFlat(0, to);
    switch (activation) {
      case IDENTITY -> {
        // The sum itself.
      }
      case RELU -> calls.relu(z, a);
      case TANH -> tanh(z, a, gate, operands.workFlat(1, to));
      case SIGMOID -> calls.sigmoid(z, a);
      case SILU -> {
        calls.sigmoid(z, gate);
        calls.multiply(gate, z, a);
      }
      case GELU -> {
        calls.multiply(z, z, gate);
        gate(z, gate);
        calls.multiply(gate, z, a);
      }
    }
  }

  /**
   * a = m / (m + 2), m = e^2z - 1: the library's own loses what is small. So would e^2z - 1 itself; with u = e^2z rounded, it is
   * 2z (u - 1) / ln u, whose errors cancel out (Kahan; Higham, 2002, §1.14.1).
   */
  private void tanh(Array z, Array a, Array u, Array logarithm) {
    calls.multiply(z, operands.constant(2), a);
    // Beyond, tanh is 1 in floats.
    calls.clip(a, -MAX_EXPONENT, MAX_EXPONENT, a);
    calls.strict(Calls.STRICT_EXP, a, u);
    calls.strict(Calls.STRICT_LOG, u, logarithm);
    calls.subtract(u, operands.constant(1), u);
    calls.ratio(u, logarithm, u, operands.constant(Calls.TINY));
    calls.multiply(a, u, a);
    calls.add(a, operands.constant(2), u);
    calls.divide(a, u, a);
  }

  /** a = sigmoid(2u), from a = z². */
  private void gate(Array z, Array a) {
    calls.multiply(a, operands.constant(CUBIC), a);
    calls.add(a, operands.constant(LINEAR), a);
    calls.multiply(a, z, a);
    calls.sigmoid(a, a);
  }

  /** delta = delta · activation'(operand). */
  void backward(Activation activation, Matrix of, Matrix operand) {
    Array delta = operands.flat(of);
    Array x = operands.flat(operand);
    Array slope = operands.workFlat(0, of);
    Array one = operands.constant(1);
    switch (activation) {
      case IDENTITY -> {
        return;
      }
      case RELU -> calls.step(x, operands.constant(0), slope);
      case TANH -> {
        calls.multiply(x, x, slope);
        calls.same(Calls.SAME_ONE_MINUS, slope, slope);
      }
      case SIGMOID -> calls.same(Calls.SAME_TIMES_ONE_MINUS, x, slope);
      case SILU -> {
        // s (1 + z (1 - s)), s = sigmoid(z)
        Array s = operands.workFlat(1, of);
        calls.sigmoid(x, s);
        calls.same(Calls.SAME_ONE_MINUS, s, slope);
        calls.multiply(slope, x, slope);
        calls.add(slope, one, slope);
        calls.multiply(slope, s, slope);
      }
      case GELU -> {
        // s (1 + z (1 - s) (2u)'), s = sigmoid(2u)
        Array s = operands.workFlat(1, of);
        Array inner = operands.workFlat(2, of);
        calls.multiply(x, x, s);
        calls.multiply(s, operands.constant(3 * CUBIC), inner);
        calls.add(inner, operands.constant(LINEAR), inner);
        gate(x, s);
        calls.same(Calls.SAME_ONE_MINUS, s, slope);
        calls.multiply(slope, x, slope);
        calls.multiply(slope, inner, slope);
        calls.add(slope, one, slope);
        calls.multiply(slope, s, slope);
      }
    }
    calls.multiply(delta, slope, delta);
  }
}
