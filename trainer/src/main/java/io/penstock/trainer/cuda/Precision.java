package io.penstock.trainer.cuda;

import java.util.Locale;

/** What matrix products are computed in. Weights, sums and everything else are float32 throughout. */
public enum Precision {
  FLOAT32(CublasLt.CUBLAS_COMPUTE_32F),
  /** Factors rounded to 10 bits of mantissa, on tensor cores. */
  TF32(CublasLt.CUBLAS_COMPUTE_32F_FAST_TF32),
  /** Factors rounded to 7 bits of mantissa by cuBLASLt, on tensor cores. */
  BF16(CublasLt.CUBLAS_COMPUTE_32F_FAST_16BF);

  private final int computeType;

  Precision(int computeType) {
    this.computeType = computeType;
  }

  int computeType() {
    return computeType;
  }

  /** As the configuration writes it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
