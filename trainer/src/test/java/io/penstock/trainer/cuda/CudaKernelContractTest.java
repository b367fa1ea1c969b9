package io.penstock.trainer.cuda;

import io.penstock.trainer.cuda.EmulatedCuda.Count;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import org.junit.jupiter.api.AfterEach;

/** On the emulator, which does its work at once; with {@code -Dpenstock.cuda.plan=general}, sessions are the general plan's. */
class CudaKernelContractTest extends KernelContract {
  private final EmulatedCuda cuda = EmulatedCuda.atOnce();

  @Override
  protected Device device() {
    return cuda.device(Planning.ofProperty());
  }

  @Override
  protected long allocatedBytes() {
    return cuda.count(Count.LIVE_BYTES);
  }

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(cuda);
  }
}
