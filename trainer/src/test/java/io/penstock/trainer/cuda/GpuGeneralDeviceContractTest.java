package io.penstock.trainer.cuda;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;
import org.junit.jupiter.api.Tag;

/**
 * The general plan on a real GPU: {@code ./mvnw -pl config,pipeline,trainer test -Dtest=GpuGeneralDeviceContractTest -Dpenstock.excludedGroups=}, alone, since
 * the emulator would take the driver's place in a JVM that runs its tests.
 */
@Tag("gpu")
class GpuGeneralDeviceContractTest extends DeviceContract {
  @Override
  protected Device device() {
    return Gpu.device(Planning.GENERAL);
  }
}
