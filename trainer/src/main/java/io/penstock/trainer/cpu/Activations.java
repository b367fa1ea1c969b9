package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;
import static io.penstock.trainer.cpu.Memory.STEP;
import static jdk.incubator.vector.VectorOperators.GT;

import io.penstock.trainer.model.Activation;
import jdk.incubator.vector.FloatVector;

/** Activations and their derivatives, line by line, each in a loop of its own. */
final class Activations {
  /** √(2/π). */
  private static final float GELU_SCALE = 0.7978846f;

  private static final float GELU_CUBE = 0.044715f;

  private Activations() {}

  /** a = activation(z + bias) over {@code lines}; addresses may be equal. {@code bias} 0: none; {@code kept}: where z + bias goes, 0: nowhere. */
  static void forward(
      Activation activation,
      long z,
      long a,
      long stride,
      int lines,
      int rows,
      long bias,
      long kept) {
    for (int line = 0; line < lines; line++) {
      long from = z + line * stride;
      long to = a + line * stride;
      if (bias != 0) {
        long sum = kept != 0 ? kept + line * stride : to;
        add(from, Memory.get(bias + 4L * line), sum, rows);
        from = sum;
      } else if (kept != 0) {
        add(from, 0f, kept + line * stride, rows);
      }
      switch (activation) {
        case IDENTITY -> {
          if (from != to) {
            add(from, 0f, to, rows);
          }
        }
        case RELU -> relu(from, to, rows);
        case GELU -> gelu(from, to, rows);
        case SILU -> silu(from, to, rows);
        case TANH -> tanh(from, to, rows);
        case SIGMOID -> sigmoid(from, to, rows);
      }
    }
  }

  /** delta = delta · activation'(operand) over {@code lines}. */
  static void gradient(
      Activation activation,
      long delta,
      long deltaStride,
      long operand,
      long stride,
      int lines,
      int rows) {
    for (int line = 0; line < lines; line++) {
      long d = delta + line * deltaStride;
      long x = operand + line * stride;
      switch (activation) {
        case IDENTITY -> {}
        case RELU -> reluGradient(d, x, rows);
        case GELU -> geluGradient(d, x, rows);
        case SILU -> siluGradient(d, x, rows);
        case TANH -> tanhGradient(d, x, rows);
        case SIGMOID -> sigmoidGradient(d, x, rows);
      }
    }
  }

  private static void add(long from, float bias, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      Memory.store(Memory.load(from + at).add(bias), to + at);
    }
  }

  private static void relu(long from, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector z = Memory.load(from + at);
      Memory.store(z.blend(0f, z.lt(0f)), to + at);
    }
  }

  private static void gelu(long from, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector z = Memory.load(from + at);
      Memory.store(z.mul(Polynomials.sigmoid(geluArgument(z))), to + at);
    }
  }

  private static void silu(long from, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector z = Memory.load(from + at);
      Memory.store(z.mul(Polynomials.sigmoid(z)), to + at);
    }
  }

  private static void tanh(long from, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      Memory.store(Polynomials.tanh(Memory.load(from + at)), to + at);
    }
  }

  private static void sigmoid(long from, long to, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      Memory.store(Polynomials.sigmoid(Memory.load(from + at)), to + at);
    }
  }

  /** 2u = 2 √(2/π) (z + 0.044715 z³). */
  private static FloatVector geluArgument(FloatVector z) {
    FloatVector inner = z.mul(z).fma(Memory.broadcast(GELU_CUBE), Memory.broadcast(1f));
    return inner.mul(z).mul(2 * GELU_SCALE);
  }

  private static void reluGradient(long delta, long a, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector d = Memory.load(delta + at);
      Memory.store(Memory.select(d, Memory.load(a + at).compare(GT, 0f)), delta + at);
    }
  }

  /** s + z s (1 - s) 2u', s = sigmoid(2u). */
  private static void geluGradient(long delta, long input, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector z = Memory.load(input + at);
      FloatVector s = Polynomials.sigmoid(geluArgument(z));
      FloatVector slope =
          z.mul(z)
              .fma(Memory.broadcast(6 * GELU_SCALE * GELU_CUBE), Memory.broadcast(2 * GELU_SCALE));
      FloatVector bend = s.mul(Memory.broadcast(1f).sub(s)).mul(z);
      Memory.store(Memory.load(delta + at).mul(bend.fma(slope, s)), delta + at);
    }
  }

  /** s + z s (1 - s), s = sigmoid(z). */
  private static void siluGradient(long delta, long input, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector z = Memory.load(input + at);
      FloatVector s = Polynomials.sigmoid(z);
      FloatVector bend = s.mul(Memory.broadcast(1f).sub(s));
      Memory.store(Memory.load(delta + at).mul(bend.fma(z, s)), delta + at);
    }
  }

  /** 1 - a². */
  private static void tanhGradient(long delta, long output, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector a = Memory.load(output + at);
      FloatVector slope = a.neg().fma(a, Memory.broadcast(1f));
      Memory.store(Memory.load(delta + at).mul(slope), delta + at);
    }
  }

  /** a (1 - a). */
  private static void sigmoidGradient(long delta, long output, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      FloatVector a = Memory.load(output + at);
      FloatVector slope = a.mul(Memory.broadcast(1f).sub(a));
      Memory.store(Memory.load(delta + at).mul(slope), delta + at);
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
