package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

/** Takes rows out of a minibatch. Scalar, as there are few such rows: a mask handed on would be boxed, minibatch for minibatch. */
final class Selection {
  private Selection() {}

  /**
   * Sets features to 0 in rows of weight 0, and behind the last row up to a whole vector: from there on, with the zero gradients
   * that the losses give such lanes, they add nothing to any sum over rows.
   */
  static void clear(long features, long stride, int lines, long weights, int rows) {
    for (int row = 0; row < rows; row++) {
      if (Memory.get(weights + 4L * row) == 0) {
        clearRow(features + 4L * row, stride, lines);
      }
    }
    int end = (rows + LANES - 1) / LANES * LANES;
    for (int row = rows; row < end; row++) {
      clearRow(features + 4L * row, stride, lines);
    }
  }

  private static void clearRow(long features, long stride, int lines) {
    for (int line = 0; line < lines; line++) {
      Memory.put(features + line * stride, 0);
    }
  }
}
