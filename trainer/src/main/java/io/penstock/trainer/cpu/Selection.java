package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

/** Takes rows out of a minibatch. Scalar, as there are few such rows: a mask handed on would be boxed, minibatch for minibatch. */
final class Selection {
  private Selection() {}

  /** Sets features to 0 in rows of weight 0. */
  static void clear(long features, long stride, int lines, long weights, int rows) {
    for (int row = 0; row < rows; row++) {
      if (Memory.get(weights + 4L * row) == 0) {
        clearRow(features + 4L * row, stride, lines);
      }
    }
  }

  /** Sets to 0 what lies behind the last row, up to a whole vector: sums over rows go by whole vectors. */
  static void clearPadding(long x, long stride, int lines, int rows) {
    int end = (rows + LANES - 1) / LANES * LANES;
    for (int row = rows; row < end; row++) {
      clearRow(x + 4L * row, stride, lines);
    }
  }

  private static void clearRow(long x, long stride, int lines) {
    for (int line = 0; line < lines; line++) {
      Memory.put(x + line * stride, 0);
    }
  }
}
