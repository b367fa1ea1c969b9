package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Losses, their gradients and predictions, row by row in one go but for the softmax, whose passes are kernels of their own: the
 * JIT inlines only so much into one method, and boxes vectors beyond. The gradient of a row is weighted by weight / Σ weights;
 * that of a row without weight, and of what is no row, is 0 whatever stands there: selected, not multiplied.
 *
 * <p>Addresses: {@code z} the outputs, which the gradient replaces; a line each of labels, weights, losses, predictions.
 */
final class Losses {
  private Losses() {}

  /** Weight / Σ weights of each row; 0 for what does not count. */
  private static FloatVector scale(FloatVector weight, VectorMask<Float> counts, float inverse) {
    return Memory.select(weight.mul(inverse), counts);
  }

  private static VectorMask<Float> counts(FloatVector weight, int row, int rows) {
    return weight.compare(VectorOperators.NE, 0f).and(Memory.before(row, rows));
  }

  /** First of four passes of the softmax: the largest output of each row, and whose it is. */
  static void largest(long z, long stride, int classes, long largest, long winners, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector best = Memory.load(z + at);
      FloatVector winner = Memory.zero();
      for (int c = 1; c < classes; c++) {
        FloatVector output = Memory.load(z + at + c * stride);
        VectorMask<Float> better = best.lt(output);
        best = best.blend(output, better);
        winner = winner.blend((float) c, better);
      }
      Memory.store(best, largest + at);
      Memory.store(winner, winners + at);
    }
  }

  /** Second: e to the power of what each output is below the largest, their sum, and how far below the true class is. */
  static void exponentials(
      long z, long stride, int classes, long largest, long labels, long sums, long own, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector best = Memory.load(largest + at);
      FloatVector label = Memory.load(labels + at);
      FloatVector sum = Memory.zero();
      FloatVector ownBelow = Memory.zero();
      for (int c = 0; c < classes; c++) {
        FloatVector below = Memory.load(z + at + c * stride).sub(best);
        ownBelow = ownBelow.blend(below, label.eq((float) c));
        FloatVector e = Polynomials.expNonPositive(below);
        sum = sum.add(e);
        Memory.store(e, z + at + c * stride);
      }
      Memory.store(sum, sums + at);
      Memory.store(ownBelow, own + at);
    }
  }

  /** Third: the loss, ln Σe - own, in the place of {@code own}. */
  static void logarithms(long sums, long own, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector log = Polynomials.log(Memory.load(sums + at));
      Memory.store(log.sub(Memory.load(own + at)), own + at);
    }
  }

  /** Fourth: the gradient, p - 1 of the true class and p of the others, from p = e / Σe. */
  static void softmaxGradient(
      long z,
      long stride,
      int classes,
      long labels,
      long weights,
      long sums,
      int rows,
      float inverse) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector label = Memory.load(labels + at);
      FloatVector weight = Memory.load(weights + at);
      FloatVector scale = scale(weight, counts(weight, row, rows), inverse);
      FloatVector share = scale.div(Memory.load(sums + at));
      for (int c = 0; c < classes; c++) {
        FloatVector gradient = Memory.load(z + at + c * stride).mul(share);
        gradient = gradient.sub(Memory.select(scale, label.eq((float) c)));
        // A mask of its own for each line: one that lives across iterations gets boxed.
        VectorMask<Float> weighs = scale.compare(VectorOperators.NE, 0f);
        Memory.store(Memory.select(gradient, weighs), z + at + c * stride);
      }
    }
  }

  /** max(z, 0) - z y + ln(1 + e^-|z|); gradient sigmoid(z) - y. */
  static void sigmoid(
      long z, long labels, long weights, long losses, long predictions, int rows, float inverse) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector label = Memory.load(labels + at);
      VectorMask<Float> positive = output.compare(VectorOperators.GT, 0f);
      FloatVector e = Polynomials.expNonPositive(output.abs().neg());
      FloatVector hinge = Memory.select(output, positive);
      FloatVector loss = hinge.sub(output.mul(label)).add(Polynomials.log1p(e));
      Memory.store(loss, losses + at);
      Memory.store(Memory.zero().blend(1f, positive), predictions + at);
      FloatVector p = e.blend(1f, positive).div(e.add(1f));
      gradient(p.sub(label), weights, at, row, rows, inverse, z);
    }
  }

  static void squared(
      long z, long labels, long weights, long losses, long predictions, int rows, float inverse) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector error = output.sub(Memory.load(labels + at));
      Memory.store(error.mul(error).mul(0.5f), losses + at);
      Memory.store(output, predictions + at);
      gradient(error, weights, at, row, rows, inverse, z);
    }
  }

  static void huber(
      long z,
      long labels,
      long weights,
      long losses,
      long predictions,
      int rows,
      float inverse,
      float delta) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector error = output.sub(Memory.load(labels + at));
      FloatVector size = error.abs();
      VectorMask<Float> far = size.compare(VectorOperators.GT, delta);
      FloatVector square = error.mul(error).mul(0.5f);
      FloatVector line = size.sub(0.5f * delta).mul(delta);
      Memory.store(square.blend(line, far), losses + at);
      Memory.store(output, predictions + at);
      FloatVector slope = Memory.broadcast(delta).blend(-delta, error.lt(0f));
      gradient(error.blend(slope, far), weights, at, row, rows, inverse, z);
    }
  }

  /** With d = y - z: max(tau d, (tau - 1) d); gradient -tau above, 1 - tau below, ½ - tau (as PyTorch's maximum) at 0. */
  static void quantile(
      long z,
      long labels,
      long weights,
      long losses,
      long predictions,
      int rows,
      float inverse,
      float tau) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector missing = Memory.load(labels + at).sub(output);
      VectorMask<Float> below = missing.compare(VectorOperators.GT, 0f);
      FloatVector loss = missing.mul(tau - 1).blend(missing.mul(tau), below);
      Memory.store(loss, losses + at);
      Memory.store(output, predictions + at);
      FloatVector slope = Memory.broadcast(1 - tau).blend(-tau, below);
      slope = slope.blend(0.5f - tau, missing.eq(0f));
      gradient(slope, weights, at, row, rows, inverse, z);
    }
  }

  private static void gradient(
      FloatVector slope, long weights, long at, int row, int rows, float inverse, long z) {
    FloatVector weight = Memory.load(weights + at);
    VectorMask<Float> counts = counts(weight, row, rows);
    Memory.store(Memory.select(slope.mul(scale(weight, counts, inverse)), counts), z + at);
  }
}
