package io.penstock.trainer.cuda;

import io.penstock.trainer.GoldenRunContract;
import io.penstock.trainer.device.Device;

/** The general plan on the emulator; in {@link CudaGoldenRunTest} the same models have fused kernels. */
class CudaGeneralGoldenRunTest extends GoldenRunContract {
  @Override
  protected Device device() {
    return EmulatedCuda.late(new java.util.SplittableRandom().nextLong()).device(Planning.GENERAL);
  }
}
