package io.penstock.trainer.nd4j;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceContract;
import org.junit.jupiter.api.Tag;

@Tag("nd4j")
class Nd4jDeviceContractTest extends DeviceContract {
  @Override
  protected Device device() {
    return Nd4jDevice.open();
  }
}
