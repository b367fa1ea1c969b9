package io.penstock.trainer.cpu;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import io.penstock.trainer.device.NativeMemory;

class CpuKernelContractTest extends KernelContract {
  @Override
  protected Device device() {
    return new CpuDevice();
  }

  /** What arenas and direct buffers hold. */
  @Override
  protected long allocatedBytes() {
    return NativeMemory.bytes(NativeMemory.report(), "Other \\(reserved=\\d+, committed=(\\d+)\\)");
  }
}
