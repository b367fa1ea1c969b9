package io.penstock.trainer.cuda;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;
import org.junit.jupiter.api.AfterEach;

/** On the emulator, which does its work late and out of step. */
class CudaDeviceContractTest extends DeviceContract {
  private final EmulatedCuda cuda = EmulatedCuda.late(new java.util.SplittableRandom().nextLong());

  @Override
  protected Device device() {
    return cuda.device();
  }

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(cuda);
  }
}
