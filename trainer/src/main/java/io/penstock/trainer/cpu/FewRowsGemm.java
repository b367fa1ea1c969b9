package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.STEP;

/**
 * What {@link RowSumGemm} computes, C = A Bᵀ, for few rows and no more lines of B than a vector has lanes: there the sums over
 * lanes would cost more than the products. So B is turned about, a vector for each row, and {@link BatchGemm#lastVector} sums
 * over rows one after the other, with a line of C as its vector. Lines of C are shorter than that: they are cut to size last.
 */
final class FewRowsGemm {
  private FewRowsGemm() {}

  /** Writes the values of each row side by side: row r at {@code to + r * STEP}. Lanes past the last line stay as they are. */
  static void turn(long b, long bStride, int lines, int rows, long to) {
    for (int line = 0; line < lines; line++) {
      long from = b + line * bStride;
      long at = to + 4L * line;
      for (int row = 0; row < rows; row++) {
        Memory.put(at, Memory.get(from + 4L * row));
        at += STEP;
      }
    }
  }

  /** Writes the first {@code columns} lanes of each vector from {@code wide} to a line of C, and nothing behind its last line. */
  static void cut(long wide, long c, long cStride, int lines, int columns) {
    long from = wide;
    long to = c;
    long end = c + (lines - 1) * cStride + 4L * columns;
    for (int line = 0; line < lines; line++) {
      if (to + STEP <= end && cStride == 4L * columns) {
        // What goes too far is written again with the lines that follow.
        Memory.store(Memory.load(from), to);
      } else {
        for (int column = 0; column < columns; column++) {
          Memory.put(to + 4L * column, Memory.get(from + 4L * column));
        }
      }
      from += STEP;
      to += cStride;
    }
  }
}
