package io.penstock.trainer.cuda;

import io.penstock.trainer.GoldenRunContract;
import io.penstock.trainer.device.Device;

/** On the emulator. */
class CudaGoldenRunTest extends GoldenRunContract {
  @Override
  protected Device device() {
    return EmulatedCuda.late(new java.util.SplittableRandom().nextLong()).device();
  }
}
