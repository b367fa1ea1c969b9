package io.penstock.trainer.cpu;

/**
 * Own kernel or OpenBLAS, by shape alone: what runs may never depend on a timing. OpenBLAS packs its operands first, which pays
 * for itself from some size on; measured by {@code penstock bench steps}.
 */
final class GemmChoice {
  private GemmChoice() {}

  /**
   * For {@link BatchGemm}.
   *
   * @param forward whether A is transposed, as on the way forward: there {@link BatchGemm} adds bias and ReLU on the way, and
   *     OpenBLAS earns its packing only from more rows on
   */
  static boolean batchByBlas(int lines, int depth, int rows, boolean forward) {
    return rows > (forward ? 32 : 1) && lines >= 64 && depth >= 64;
  }

  /** For {@link FewRowsGemm}, where {@link #rowSumByBlas} does not hold. */
  static boolean rowSumOfFewRows(int aLines, int bLines, int rows) {
    return rows > 1 && rows <= 64 && aLines >= BatchGemm.MIN_LINES && bLines <= Memory.LANES;
  }

  /** For {@link RowSumGemm}, whose sums over lanes cost as much whatever the rows: few rows do not earn them. */
  static boolean rowSumByBlas(int aLines, int bLines, int rows) {
    return rows > 1 && aLines >= 32 && (bLines >= 32 || (rows < 64 && aLines >= 64));
  }
}
