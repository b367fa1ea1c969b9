package io.penstock.config;

/** What matrix products are computed in; weights, sums and all else are 32-bit floats throughout. */
public enum Precision {
  /** 24 bits of mantissa. */
  FLOAT32,
  /** Factors of 11 bits, on tensor cores. */
  TF32,
  /** Factors of 8 bits, on tensor cores. */
  BF16
}
