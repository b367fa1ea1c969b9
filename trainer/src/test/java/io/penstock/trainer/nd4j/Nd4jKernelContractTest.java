package io.penstock.trainer.nd4j;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import org.junit.jupiter.api.Tag;

@Tag("nd4j")
class Nd4jKernelContractTest extends KernelContract {
  @Override
  protected Device device() {
    return Nd4jDevice.open();
  }

  @Override
  protected long allocatedBytes() {
    return MallocMemory.takenBytes();
  }
}
