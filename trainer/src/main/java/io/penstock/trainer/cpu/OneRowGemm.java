package io.penstock.trainer.cpu;

/**
 * The three products of a layer for minibatches of one row (row-by-row learning), where a vector along the minibatch would hold
 * one value: plain loops over the weights.
 */
final class OneRowGemm {
  private OneRowGemm() {}

  /** c[line] = bias[line] + Σ a[line, depth] b[depth], arguments as in {@link BatchGemm}. Four partial sums by depth. */
  static void multiply(
      long a,
      long aLine,
      long aDepth,
      long b,
      long bStride,
      long c,
      long cStride,
      int lines,
      int depth,
      long bias,
      float floor) {
    for (int line = 0; line < lines; line++) {
      float s0 = Memory.get(bias + 4L * line);
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      long ap = a + line * aLine;
      long bp = b;
      int k = 0;
      for (; k + 4 <= depth; k += 4) {
        s0 = Math.fma(Memory.get(ap), Memory.get(bp), s0);
        s1 = Math.fma(Memory.get(ap + aDepth), Memory.get(bp + bStride), s1);
        s2 = Math.fma(Memory.get(ap + 2 * aDepth), Memory.get(bp + 2 * bStride), s2);
        s3 = Math.fma(Memory.get(ap + 3 * aDepth), Memory.get(bp + 3 * bStride), s3);
        ap += 4 * aDepth;
        bp += 4 * bStride;
      }
      for (; k < depth; k++) {
        s0 = Math.fma(Memory.get(ap), Memory.get(bp), s0);
        ap += aDepth;
        bp += bStride;
      }
      float sum = (s0 + s1) + (s2 + s3);
      Memory.put(c + line * cStride, sum < floor ? floor : sum);
    }
  }

  /** c[i, j] = a[i] b[j], arguments as in {@link RowSumGemm}. */
  static void outerProduct(
      long a, long aStride, int aLines, long b, long bStride, int bLines, long c, long cStride) {
    for (int j = 0; j < bLines; j++) {
      float y = Memory.get(b + j * bStride);
      for (int i = 0; i < aLines; i++) {
        Memory.put(c + i * cStride + 4L * j, Memory.get(a + i * aStride) * y);
      }
    }
  }
}
