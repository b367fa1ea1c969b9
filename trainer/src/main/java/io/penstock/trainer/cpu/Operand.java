package io.penstock.trainer.cpu;

import io.penstock.trainer.model.Matrix;

/**
 * A matrix with its address.
 *
 * @param base address, or offset in the step's slot
 */
record Operand(long base, boolean inSlot, Matrix matrix) {
  long address(Step step) {
    return inSlot ? step.slot + base : base;
  }

  int lines() {
    return matrix.rows();
  }

  int stride() {
    return matrix.stride();
  }

  long strideBytes() {
    return (long) matrix.stride() * Float.BYTES;
  }
}
