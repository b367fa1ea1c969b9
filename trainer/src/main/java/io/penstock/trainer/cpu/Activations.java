package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;
import static io.penstock.trainer.cpu.Memory.STEP;
import static jdk.incubator.vector.VectorOperators.GT;

import jdk.incubator.vector.FloatVector;

/** Activations (a = f(z)), their derivatives (delta = delta · f', from z or from a), and sums over rows; line by line, each a loop of
 * its own. */
final class Activations {
  /** √(2/π). */
  private static final float GELU_SCALE = 0.7978846f;

  private static final float GELU_CUBE = 0.044715f;

  private static final FloatVector ONE = Memory.broadcast(1f);
  private static final FloatVector GELU_CUBES = Memory.broadcast(GELU_CUBE);
  private static final FloatVector GELU_SCALES = Memory.broadcast(2 * GELU_SCALE);
  private static final FloatVector GELU_SLOPE = Memory.broadcast(6 * GELU_SCALE * GELU_CUBE);

  private Activations() {}

  /** z = max(z + bias, floor), a bias for each line; no floor is negative infinity. */
  static void addBias(long z, long stride, int lines, int rows, long bias, float floor) {
    for (int line = 0; line < lines; line++) {
      long from = z + line * stride;
      float b = Memory.get(bias + 4L * line);
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector sum = Memory.load(from + at).add(b);
        Memory.store(sum.max(floor), from + at);
      }
    }
  }

  static void gelu(long input, long output, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long from = input + line * stride;
      long to = output + line * stride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector z = Memory.load(from + at);
        Memory.store(z.mul(Polynomials.sigmoid(geluArgument(z))), to + at);
      }
    }
  }

  static void silu(long input, long output, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long from = input + line * stride;
      long to = output + line * stride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector z = Memory.load(from + at);
        Memory.store(z.mul(Polynomials.sigmoid(z)), to + at);
      }
    }
  }

  static void tanh(long input, long output, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long from = input + line * stride;
      long to = output + line * stride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        Memory.store(Polynomials.tanh(Memory.load(from + at)), to + at);
      }
    }
  }

  static void sigmoid(long input, long output, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long from = input + line * stride;
      long to = output + line * stride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        Memory.store(Polynomials.sigmoid(Memory.load(from + at)), to + at);
      }
    }
  }

  /** 2u = 2 √(2/π) (z + 0.044715 z³). */
  private static FloatVector geluArgument(FloatVector z) {
    FloatVector inner = z.mul(z).fma(GELU_CUBES, ONE);
    return inner.mul(z).mul(GELU_SCALES);
  }

  static void reluGradient(
      long delta, long deltaStride, long operand, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long a = operand + line * stride;
      long d = delta + line * deltaStride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector slope = Memory.load(d + at);
        Memory.store(Memory.select(slope, Memory.load(a + at).compare(GT, 0f)), d + at);
      }
    }
  }

  /** s + z s (1 - s) 2u', s = sigmoid(2u). */
  static void geluGradient(
      long delta, long deltaStride, long operand, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long input = operand + line * stride;
      long d = delta + line * deltaStride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector z = Memory.load(input + at);
        FloatVector s = Polynomials.sigmoid(geluArgument(z));
        FloatVector slope = z.mul(z).fma(GELU_SLOPE, GELU_SCALES);
        FloatVector bend = s.mul(ONE.sub(s)).mul(z);
        Memory.store(Memory.load(d + at).mul(bend.fma(slope, s)), d + at);
      }
    }
  }

  /** s + z s (1 - s), s = sigmoid(z). */
  static void siluGradient(
      long delta, long deltaStride, long operand, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long input = operand + line * stride;
      long d = delta + line * deltaStride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector z = Memory.load(input + at);
        FloatVector s = Polynomials.sigmoid(z);
        FloatVector bend = s.mul(ONE.sub(s));
        Memory.store(Memory.load(d + at).mul(bend.fma(z, s)), d + at);
      }
    }
  }

  /** 1 - a². */
  static void tanhGradient(
      long delta, long deltaStride, long operand, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long output = operand + line * stride;
      long d = delta + line * deltaStride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector a = Memory.load(output + at);
        FloatVector slope = a.neg().fma(a, ONE);
        Memory.store(Memory.load(d + at).mul(slope), d + at);
      }
    }
  }

  /** a (1 - a). */
  static void sigmoidGradient(
      long delta, long deltaStride, long operand, long stride, int lines, int rows) {
    for (int line = 0; line < lines; line++) {
      long output = operand + line * stride;
      long d = delta + line * deltaStride;
      for (int row = 0; row < rows; row += LANES) {
        long at = 4L * row;
        FloatVector a = Memory.load(output + at);
        FloatVector slope = a.mul(ONE.sub(a));
        Memory.store(Memory.load(d + at).mul(slope), d + at);
      }
    }
  }

  /** The sum of each line over the valid rows. */
  static void sumLines(long lines, long stride, int count, int rows, long to, long sums) {
    for (int line = 0; line < count; line++) {
      long from = lines + line * stride;
      FloatVector sum = Memory.zero();
      int row = 0;
      for (; row + LANES <= rows; row += LANES) {
        sum = sum.add(Memory.load(from));
        from += STEP;
      }
      if (row < rows) {
        sum = sum.add(Memory.select(Memory.load(from), Memory.before(row, rows)));
      }
      Memory.store(sum, sums);
      Memory.put(to + 4L * line, Memory.sumOfVector(sums));
    }
  }
}
