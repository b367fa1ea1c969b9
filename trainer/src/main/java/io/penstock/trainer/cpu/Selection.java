package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Takes rows out of a minibatch. */
final class Selection {
  private Selection() {}

  /** Sets features to 0 in rows of weight 0. */
  static void clear(long features, long stride, int lines, long weights, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      VectorMask<Float> kept = Memory.load(weights + at).compare(VectorOperators.NE, 0f);
      if (!kept.allTrue()) {
        clear(features + at, stride, lines, kept);
      }
    }
  }

  /** Sets to 0 what lies behind the last row, up to a whole vector: sums over rows go by whole vectors. */
  static void clearPadding(long x, long stride, int lines, int rows) {
    int last = rows / LANES * LANES;
    if (last < rows) {
      clear(x + 4L * last, stride, lines, Memory.before(last, rows));
    }
  }

  private static void clear(long features, long stride, int lines, VectorMask<Float> kept) {
    for (int line = 0; line < lines; line++) {
      long at = features + line * stride;
      Memory.store(Memory.select(Memory.load(at), kept), at);
    }
  }
}
