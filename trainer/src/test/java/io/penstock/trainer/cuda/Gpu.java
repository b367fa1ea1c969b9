package io.penstock.trainer.cuda;

import io.penstock.config.Precision;
import org.junit.jupiter.api.Assumptions;

/** A real GPU; tests are skipped, with the reason, where there is none. */
final class Gpu {
  private Gpu() {}

  static CudaDevice device() {
    return device(Planning.BY_SHAPE);
  }

  static CudaDevice device(Planning planning) {
    try {
      return CudaDevice.of(0, Precision.FLOAT32, planning, 3);
    } catch (IllegalStateException e) {
      return Assumptions.abort(e.getMessage());
    }
  }
}
