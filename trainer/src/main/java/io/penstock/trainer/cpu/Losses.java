package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Losses, their gradients and predictions, row by row in one go but for the softmax, whose passes are kernels of their own: the
 * JIT inlines only so much into one method, and boxes vectors beyond. The gradient of a row is weighted by weight / Σ weights;
 * that of a row without weight is 0 whatever stands there: selected, not multiplied.
 *
 * <p>Addresses: {@code z} the outputs, which the gradient replaces; a line each of labels, weights, losses, predictions, scores.
 */
final class Losses {
  private static final FloatVector ZERO = Memory.zero();
  private static final FloatVector ONE = Memory.broadcast(1f);

  private Losses() {}

  /** Weight / Σ weights of each row; 0 for what does not count. */
  private static FloatVector scale(FloatVector weight, VectorMask<Float> counts, float inverse) {
    return Memory.select(weight.mul(inverse), counts);
  }

  private static VectorMask<Float> counts(FloatVector weight) {
    return weight.compare(VectorOperators.NE, 0f);
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
      FloatVector scale = scale(weight, counts(weight), inverse);
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

  /** The score of two outputs. */
  static void logOdds(long z, long stride, long scores, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      Memory.store(Memory.load(z + stride + at).sub(Memory.load(z + at)), scores + at);
    }
  }

  /** The score of more outputs: that of the largest, for which e is 1. */
  static void largestProbability(long sums, long scores, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      Memory.store(ONE.div(Memory.load(sums + at)), scores + at);
    }
  }

  /** Class 1 where z, which is the score, is above 0. */
  static void signs(long z, long predictions, long scores, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      Memory.store(ZERO.blend(ONE, ZERO.lt(output)), predictions + at);
      Memory.store(output, scores + at);
    }
  }

  /** max(z, 0) - z y + ln(1 + e^-|z|). */
  static void sigmoid(long z, long labels, long losses, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector label = Memory.load(labels + at);
      FloatVector e = Polynomials.expNonPositive(output.abs().neg());
      FloatVector hinge = output.max(ZERO).sub(output.mul(label));
      Memory.store(hinge.add(Polynomials.log1p(e)), losses + at);
    }
  }

  /** The slope of it, sigmoid(z) - y, in z's place. */
  static void sigmoidSlope(long z, long labels, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector p = Polynomials.sigmoid(Memory.load(z + at));
      Memory.store(p.sub(Memory.load(labels + at)), z + at);
    }
  }

  /** (z - y)² / 2. */
  static void squared(long z, long labels, long losses, long predictions, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector error = output.sub(Memory.load(labels + at));
      Memory.store(error.mul(error).mul(0.5f), losses + at);
      Memory.store(output, predictions + at);
      Memory.store(error, z + at);
    }
  }

  /** Squared up to delta, linear beyond. */
  static void huber(long z, long labels, long losses, long predictions, int rows, float delta) {
    FloatVector most = Memory.broadcast(delta);
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector error = output.sub(Memory.load(labels + at));
      FloatVector size = error.abs();
      FloatVector square = error.mul(error).mul(0.5f);
      FloatVector line = size.sub(0.5f * delta).mul(most);
      Memory.store(square.blend(line, most.lt(size)), losses + at);
      Memory.store(output, predictions + at);
      FloatVector slope = most.blend(most.neg(), error.lt(ZERO));
      Memory.store(error.blend(slope, most.lt(size)), z + at);
    }
  }

  /** With d = y - z: max(tau d, (tau - 1) d); slope -tau above, 1 - tau below, ½ - tau (as PyTorch's maximum) at 0. */
  static void quantile(long z, long labels, long losses, long predictions, int rows, float tau) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector output = Memory.load(z + at);
      FloatVector missing = Memory.load(labels + at).sub(output);
      Memory.store(missing.mul(tau).max(missing.mul(tau - 1)), losses + at);
      Memory.store(output, predictions + at);
      FloatVector slope = Memory.broadcast(1 - tau).blend(-tau, ZERO.lt(missing));
      Memory.store(slope.blend(0.5f - tau, missing.eq(ZERO)), z + at);
    }
  }

  /** The gradient from the slopes: each row's share of the weights, 0 for what does not count. */
  static void weigh(long slopes, long weights, int rows, float inverse) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector weight = Memory.load(weights + at);
      VectorMask<Float> counts = counts(weight);
      FloatVector slope = Memory.load(slopes + at);
      Memory.store(Memory.select(slope.mul(weight.mul(inverse)), counts), slopes + at);
    }
  }
}
