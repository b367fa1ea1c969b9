package io.penstock.trainer.nd4j;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

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
    assumeFalse(Library.load().isGpu(), "a GPU's memory is not malloc's");
    return MallocMemory.takenBytes();
  }
}
