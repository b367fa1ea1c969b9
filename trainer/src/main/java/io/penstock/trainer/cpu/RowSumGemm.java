package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;
import static io.penstock.trainer.cpu.Memory.STEP;

import jdk.incubator.vector.FloatVector;

/**
 * C = A Bᵀ where a line of A and B has a value for each row of the minibatch: the gradient of weights, dW = X dZᵀ. Each value
 * of C sums over rows: lane by lane over vectors of rows first, then over the lanes by a fixed tree. Lanes that are no row hold
 * 0 ({@link Selection#clearPadding}) and add nothing. Four lines of A and two of B at a time; a tile past the end is moved back.
 */
final class RowSumGemm {
  /** Lines of a tile of A, and of B. */
  static final int A_TILE = 4;

  static final int B_TILE = 2;

  private RowSumGemm() {}

  /**
   * Computes C; asks for {@link #A_TILE} lines of A and {@link #B_TILE} of B.
   *
   * @param a address of the first line; {@code aStride} bytes from line to line; so {@code b} and {@code c}
   * @param aLines lines of A and C
   * @param bLines lines of B, columns of C
   * @param rows valid rows
   * @param sums address of 8 vectors to work in
   */
  static void multiply(
      long a,
      long aStride,
      int aLines,
      long b,
      long bStride,
      int bLines,
      long c,
      long cStride,
      int rows,
      long sums) {
    for (int nextI = 0; nextI < aLines; nextI += A_TILE) {
      int i = Math.min(nextI, aLines - A_TILE);
      for (int nextJ = 0; nextJ < bLines; nextJ += B_TILE) {
        int j = Math.min(nextJ, bLines - B_TILE);
        fourByTwo(a + i * aStride, aStride, b + j * bStride, bStride, rows, sums);
        long at = c + i * cStride + 4L * j;
        for (int line = 0; line < A_TILE; line++) {
          Memory.put(at, Memory.sumOfVector(sums + 2L * line * STEP));
          Memory.put(at + 4, Memory.sumOfVector(sums + (2L * line + 1) * STEP));
          at += cStride;
        }
      }
    }
  }

  /** Computes C value by value: for fewer lines than a tile has. */
  static void singleValues(
      long a,
      long aStride,
      int aLines,
      long b,
      long bStride,
      int bLines,
      long c,
      long cStride,
      int rows,
      long sums) {
    for (int i = 0; i < aLines; i++) {
      for (int j = 0; j < bLines; j++) {
        oneByOne(a + i * aStride, b + j * bStride, rows, sums);
        Memory.put(c + i * cStride + 4L * j, Memory.sumOfVector(sums));
      }
    }
  }

  private static void fourByTwo(long a, long aStride, long b, long bStride, int rows, long sums) {
    FloatVector c00 = Memory.zero();
    FloatVector c01 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    long a2 = 2 * aStride;
    long a3 = 3 * aStride;
    long ap = a;
    long bp = b;
    for (int row = 0; row < rows; row += LANES) {
      FloatVector b0 = Memory.load(bp);
      FloatVector b1 = Memory.load(bp + bStride);
      FloatVector x = Memory.load(ap);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = Memory.load(ap + aStride);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = Memory.load(ap + a2);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = Memory.load(ap + a3);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      ap += STEP;
      bp += STEP;
    }
    Memory.store(c00, sums);
    Memory.store(c01, sums + STEP);
    Memory.store(c10, sums + 2 * STEP);
    Memory.store(c11, sums + 3 * STEP);
    Memory.store(c20, sums + 4 * STEP);
    Memory.store(c21, sums + 5 * STEP);
    Memory.store(c30, sums + 6 * STEP);
    Memory.store(c31, sums + 7 * STEP);
  }

  private static void oneByOne(long a, long b, int rows, long sums) {
    FloatVector sum = Memory.zero();
    long ap = a;
    long bp = b;
    for (int row = 0; row < rows; row += LANES) {
      sum = Memory.load(ap).fma(Memory.load(bp), sum);
      ap += STEP;
      bp += STEP;
    }
    Memory.store(sum, sums);
  }
}
