package io.penstock.trainer.cuda;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;
import org.junit.jupiter.api.Tag;

/**
 * On a real GPU: {@code ./mvnw -pl config,pipeline,trainer test -Dtest=GpuDeviceContractTest -Dpenstock.excludedGroups=}, alone, since
 * the emulator would take the driver's place in a JVM that runs its tests.
 */
@Tag("gpu")
class GpuDeviceContractTest extends DeviceContract {
  @Override
  protected Device device() {
    return Gpu.device();
  }
}
