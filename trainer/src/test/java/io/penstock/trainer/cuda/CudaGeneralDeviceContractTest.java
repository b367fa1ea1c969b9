package io.penstock.trainer.cuda;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;
import org.junit.jupiter.api.AfterEach;

/** The general plan, for the models that have fused kernels in {@link CudaDeviceContractTest}. */
class CudaGeneralDeviceContractTest extends DeviceContract {
  private final EmulatedCuda cuda = EmulatedCuda.late(new java.util.SplittableRandom().nextLong());

  @Override
  protected Device device() {
    return cuda.device(Planning.GENERAL);
  }

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(cuda);
  }
}
