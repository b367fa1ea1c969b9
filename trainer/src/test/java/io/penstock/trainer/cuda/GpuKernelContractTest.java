package io.penstock.trainer.cuda;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import org.junit.jupiter.api.Tag;

/**
 * On a real GPU: {@code ./mvnw -pl config,pipeline,trainer test -Dtest=GpuKernelContractTest -Dpenstock.excludedGroups=}, alone,
 * since the emulator would take the driver's place in a JVM that runs its tests.
 */
@Tag("gpu")
class GpuKernelContractTest extends KernelContract {
  @Override
  protected Device device() {
    return Gpu.device();
  }

  /** What is taken of the whole GPU, by whomever. */
  @Override
  protected long allocatedBytes() {
    try (CudaContext context = new CudaContext(0)) {
      context.use();
      return Cuda.deviceTotalMem(Cuda.device(0)) - Cuda.freeMemory();
    }
  }
}
