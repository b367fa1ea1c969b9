package io.penstock.trainer.cpu;

/**
 * Own kernel or OpenBLAS, by shape alone: what runs may never depend on a timing. OpenBLAS packs its operands first, which pays
 * for itself from some size on; measured by {@code penstock bench steps}.
 */
final class GemmChoice {
  private GemmChoice() {}

  /** For {@link BatchGemm}. */
  static boolean batchByBlas(int lines, int depth, int rows) {
    return rows > 1 && lines >= 64 && depth >= 64;
  }

  /** For {@link RowSumGemm}, whose sums over lanes cost as much whatever the rows: few rows do not earn them. */
  static boolean rowSumByBlas(int aLines, int bLines, int rows) {
    return rows > 1 && aLines >= 32 && (bLines >= 32 || (rows < 64 && aLines >= 64));
  }
}
