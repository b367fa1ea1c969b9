package io.penstock.trainer.cpu;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;

class CpuDeviceContractTest extends DeviceContract {
  @Override
  protected Device device() {
    return new CpuDevice();
  }
}
