package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;
import static io.penstock.trainer.cpu.Memory.STEP;

import jdk.incubator.vector.FloatVector;

/**
 * C = A B + bias where a line of B and C has a value for each row of the minibatch: the forward product (A = Wᵀ) and the one
 * back to a layer's inputs (A = W). Four lines of C and two vectors of rows at a time are held in registers; a tile that would
 * go past the last line is moved back onto lines already done, which get the same bits again.
 */
final class BatchGemm {
  /** Lines of a tile. */
  static final int MIN_LINES = 4;

  private BatchGemm() {}

  /**
   * Computes C for all whole pairs of vectors of rows; {@link #lastVector} does the rest. Both ask for {@link #MIN_LINES} lines.
   *
   * @param a address; its value (line, depth) lies {@code line * aLine + depth * aDepth} bytes further
   * @param b address of the first line; {@code bStride} bytes from line to line; so {@code c}
   * @param lines of C
   * @param depth lines of B
   * @param rows valid rows
   * @param bias address of a value for each line
   * @param floor what is smaller becomes this: 0 for ReLU, negative infinity for nothing
   */
  static void pairs(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int lines,
      int depth,
      int rows,
      long bias,
      float floor) {
    int vectors = (rows + LANES - 1) / LANES;
    for (int v = 0; v + 2 <= vectors; v += 2) {
      long column = v * STEP;
      for (int next = 0; next < lines; next += MIN_LINES) {
        int line = Math.min(next, lines - MIN_LINES);
        long tile = c + column + line * cStride;
        fourByTwo(
            a + line * aLine,
            aLine,
            aDepth,
            b + column,
            bStride,
            tile,
            cStride,
            depth,
            bias + 4L * line);
        if (floor > Float.NEGATIVE_INFINITY) {
          raise(tile, cStride, floor);
        }
      }
    }
  }

  /** Computes C for the last vector of rows where their number is odd. */
  static void lastVector(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int lines,
      int depth,
      int rows,
      long bias,
      float floor) {
    int vectors = (rows + LANES - 1) / LANES;
    if (vectors % 2 == 0) {
      return;
    }
    long column = (vectors - 1) * STEP;
    for (int next = 0; next < lines; next += MIN_LINES) {
      int line = Math.min(next, lines - MIN_LINES);
      fourByOne(
          a + line * aLine,
          aLine,
          aDepth,
          b + column,
          bStride,
          c + column + line * cStride,
          cStride,
          depth,
          bias + 4L * line,
          floor);
    }
  }

  /** Computes C line by line: for fewer than {@link #MIN_LINES}. */
  static void singleLines(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int lines,
      int depth,
      int rows,
      long bias,
      float floor) {
    for (int row = 0; row < rows; row += LANES) {
      long column = 4L * row;
      for (int line = 0; line < lines; line++) {
        oneByOne(
            a + line * aLine,
            aDepth,
            b + column,
            bStride,
            c + column + line * cStride,
            depth,
            Memory.get(bias + 4L * line),
            floor);
      }
    }
  }

  private static void fourByTwo(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int depth,
      long bias) {
    FloatVector c00 = Memory.spread(bias);
    FloatVector c10 = Memory.spread(bias + 4);
    FloatVector c20 = Memory.spread(bias + 8);
    FloatVector c30 = Memory.spread(bias + 12);
    FloatVector c01 = c00;
    FloatVector c11 = c10;
    FloatVector c21 = c20;
    FloatVector c31 = c30;
    long a1 = aLine;
    long a2 = 2 * aLine;
    long a3 = 3 * aLine;
    long ap = a;
    long bp = b;
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = Memory.load(bp);
      FloatVector b1 = Memory.load(bp + STEP);
      FloatVector x = Memory.spread(ap);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = Memory.spread(ap + a1);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = Memory.spread(ap + a2);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = Memory.spread(ap + a3);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      ap += aDepth;
      bp += bStride;
    }
    Memory.store(c00, c);
    Memory.store(c01, c + STEP);
    Memory.store(c10, c + cStride);
    Memory.store(c11, c + cStride + STEP);
    Memory.store(c20, c + 2 * cStride);
    Memory.store(c21, c + 2 * cStride + STEP);
    Memory.store(c30, c + 3 * cStride);
    Memory.store(c31, c + 3 * cStride + STEP);
  }

  /** Raises what is below {@code floor} in a tile: apart from its sums, which are all that C2's inlining budget holds. */
  private static void raise(long c, long cStride, float floor) {
    FloatVector least = Memory.broadcast(floor);
    for (int line = 0; line < MIN_LINES; line++) {
      long at = c + line * cStride;
      store(Memory.load(at), at, least);
      store(Memory.load(at + STEP), at + STEP, least);
    }
  }

  private static void fourByOne(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int depth,
      long bias,
      float floor) {
    FloatVector c0 = Memory.spread(bias);
    FloatVector c1 = Memory.spread(bias + 4);
    FloatVector c2 = Memory.spread(bias + 8);
    FloatVector c3 = Memory.spread(bias + 12);
    long ap = a;
    long bp = b;
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = Memory.load(bp);
      c0 = Memory.spread(ap).fma(b0, c0);
      c1 = Memory.spread(ap + aLine).fma(b0, c1);
      c2 = Memory.spread(ap + 2 * aLine).fma(b0, c2);
      c3 = Memory.spread(ap + 3 * aLine).fma(b0, c3);
      ap += aDepth;
      bp += bStride;
    }
    FloatVector least = Memory.broadcast(floor);
    store(c0, c, least);
    store(c1, c + cStride, least);
    store(c2, c + 2 * cStride, least);
    store(c3, c + 3 * cStride, least);
  }

  /** One line: depths modulo 4 apart, or each FMA would wait for the one before. */
  private static void oneByOne(
      long a, long aDepth, long b, long bStride, long c, int depth, float bias, float floor) {
    FloatVector c0 = Memory.broadcast(bias);
    FloatVector c1 = Memory.zero();
    FloatVector c2 = c1;
    FloatVector c3 = c1;
    long ap = a;
    long bp = b;
    int k = 0;
    for (; k + 4 <= depth; k += 4) {
      c0 = Memory.spread(ap).fma(Memory.load(bp), c0);
      c1 = Memory.spread(ap + aDepth).fma(Memory.load(bp + bStride), c1);
      c2 = Memory.spread(ap + 2 * aDepth).fma(Memory.load(bp + 2 * bStride), c2);
      c3 = Memory.spread(ap + 3 * aDepth).fma(Memory.load(bp + 3 * bStride), c3);
      ap += 4 * aDepth;
      bp += 4 * bStride;
    }
    for (; k < depth; k++) {
      c0 = Memory.spread(ap).fma(Memory.load(bp), c0);
      ap += aDepth;
      bp += bStride;
    }
    FloatVector least = Memory.broadcast(floor);
    store(c0.add(c1).add(c2.add(c3)), c, least);
  }

  private static void store(FloatVector value, long address, FloatVector floor) {
    Memory.store(value.max(floor), address);
  }
}
