package io.penstock.trainer.device;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import org.jspecify.annotations.Nullable;

/** What kernels compute, value by value and row by row as a textbook has it, with bounds on what floats are off by. */
final class ReferenceKernels {
  private static final double GELU_SCALE = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBE = 0.044715;

  private ReferenceKernels() {}

  /**
   * A row's loss.
   *
   * @param slopes of the loss by each output
   * @param score nothing where the label is a number
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record RowLoss(Rounded loss, Rounded[] slopes, float prediction, @Nullable Rounded score) {}

  /** activation(z). */
  static Rounded activate(Activation activation, Rounded z) {
    return switch (activation) {
      case IDENTITY -> z;
      case RELU -> z.max(0);
      case GELU -> z.times(geluArgument(z).sigmoid());
      case SILU -> z.times(z.sigmoid());
      case TANH -> z.tanh();
      case SIGMOID -> z.sigmoid();
    };
  }

  /** The derivative, from the activation's input for GELU and SiLU, from its output for the others. */
  static Rounded slope(Activation activation, double operand) {
    Rounded x = Rounded.exactly(operand);
    return switch (activation) {
      case IDENTITY -> Rounded.exactly(1);
      case RELU -> Rounded.exactly(operand > 0 ? 1 : 0);
      case TANH -> one().minus(x.times(x));
      case SIGMOID -> x.times(one().minus(x));
      case SILU -> gatedSlope(x, x.sigmoid(), one());
      case GELU ->
          gatedSlope(
              x,
              geluArgument(x).sigmoid(),
              x.times(x)
                  .times(Rounded.once(6 * GELU_SCALE * GELU_CUBE))
                  .plus(Rounded.once(2 * GELU_SCALE)));
    };
  }

  /** d/dz (z sigmoid(t(z))) = s + z s (1 - s) t'. */
  private static Rounded gatedSlope(Rounded z, Rounded s, Rounded inner) {
    return s.plus(s.times(one().minus(s)).times(z).times(inner));
  }

  /** 2 √(2/π) (z + 0.044715 z³). */
  private static Rounded geluArgument(Rounded z) {
    Rounded cube = z.times(z).times(z).times(Rounded.once(GELU_CUBE));
    return z.plus(cube).times(Rounded.once(2 * GELU_SCALE));
  }

  /** Loss, slopes and prediction of a row with outputs {@code z}. */
  static RowLoss loss(KernelCall.Loss kind, float[] z, float y) {
    Rounded error = Rounded.exactly(z[0]).plus(-y);
    return switch (kind) {
      case KernelCall.SoftmaxCrossEntropy l -> softmax(z, (int) y);
      case KernelCall.SigmoidCrossEntropy l -> {
        Rounded output = Rounded.exactly(z[0]);
        Rounded hinge = output.max(0).minus(output.times(y));
        Rounded loss = hinge.plus(output.abs().negated().exp().log1p());
        Rounded[] slopes = {output.sigmoid().plus(-y)};
        yield new RowLoss(loss, slopes, z[0] > 0 ? 1 : 0, output);
      }
      case KernelCall.SquaredError l -> row(error.times(error).times(0.5), error, z[0]);
      case KernelCall.Huber(KernelCall.LossRows rows, float delta) -> {
        Rounded line = error.abs().plus(-0.5 * delta).times(delta);
        yield Math.abs(error.value()) <= delta
            ? row(error.times(error).times(0.5), error, z[0])
            : row(line, Rounded.exactly(Math.signum(error.value()) * delta), z[0]);
      }
      case KernelCall.Quantile(KernelCall.LossRows rows, float tau) -> {
        Rounded missing = error.negated();
        Rounded below = Rounded.once(1 - (double) tau);
        Rounded half = Rounded.once(0.5 - tau);
        yield missing.value() > 0
            ? row(missing.times(tau), Rounded.exactly(-tau), z[0])
            : row(error.times(below), missing.value() < 0 ? below : half, z[0]);
      }
    };
  }

  private static RowLoss softmax(float[] z, int label) {
    int best = 0;
    for (int c = 1; c < z.length; c++) {
      best = z[c] > z[best] ? c : best;
    }
    Rounded[] powers = new Rounded[z.length];
    Rounded sum = Rounded.exactly(0);
    for (int c = 0; c < z.length; c++) {
      powers[c] = Rounded.exactly(z[c]).plus(-z[best]).exp();
      sum = sum.plus(powers[c]);
    }
    Rounded[] slopes = new Rounded[z.length];
    for (int c = 0; c < z.length; c++) {
      Rounded p = powers[c].over(sum);
      slopes[c] = c == label ? p.plus(-1) : p;
    }
    Rounded own = Rounded.exactly(z[label]).plus(-z[best]);
    Rounded score = z.length == 2 ? Rounded.exactly(z[1]).plus(-z[0]) : powers[best].over(sum);
    return new RowLoss(sum.log().minus(own), slopes, best, score);
  }

  private static RowLoss row(Rounded loss, Rounded slope, float prediction) {
    return new RowLoss(loss, new Rounded[] {slope}, prediction, null);
  }

  private static Rounded one() {
    return Rounded.exactly(1);
  }
}
