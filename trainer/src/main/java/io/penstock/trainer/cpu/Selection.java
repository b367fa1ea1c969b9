package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Takes rows out of a minibatch. */
final class Selection {
  private Selection() {}

  /** Sets the features of rows of weight 0 to 0. Such rows are rare, so weights are looked at first. */
  static void clearWeightless(long features, long stride, int lines, long weights, int rows) {
    for (int row = 0; row < rows; row += LANES) {
      long at = 4L * row;
      VectorMask<Float> weightless =
          Memory.load(weights + at).compare(VectorOperators.EQ, 0f).and(Memory.before(row, rows));
      if (weightless.anyTrue()) {
        clear(features + at, stride, lines, weightless);
      }
    }
  }

  private static void clear(long features, long stride, int lines, VectorMask<Float> rows) {
    for (int line = 0; line < lines; line++) {
      long at = features + line * stride;
      FloatVector values = Memory.load(at);
      Memory.store(values.blend(0f, rows), at);
    }
  }
}
