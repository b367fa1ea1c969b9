package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Takes rows out of a minibatch. */
final class Selection {
  private Selection() {}

  /**
   * Sets features to 0 in rows of weight 0, and behind the last row up to a whole vector: from there on, with the zero gradients
   * that the losses give such lanes, they add nothing to any sum over rows.
   */
  static void clear(long features, long stride, int lines, long weights, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      VectorMask<Float> kept =
          Memory.load(weights + at).compare(VectorOperators.NE, 0f).and(Memory.before(row, rows));
      if (!kept.allTrue()) {
        clear(features + at, stride, lines, kept);
      }
    }
  }

  private static void clear(long features, long stride, int lines, VectorMask<Float> kept) {
    for (int line = 0; line < lines; line++) {
      long at = features + line * stride;
      Memory.store(Memory.select(Memory.load(at), kept), at);
    }
  }
}
