package io.penstock.trainer.nd4j;

import io.penstock.trainer.GoldenRunContract;
import io.penstock.trainer.device.Device;
import org.junit.jupiter.api.Tag;

@Tag("nd4j")
class Nd4jGoldenRunTest extends GoldenRunContract {
  @Override
  protected Device device() {
    return Nd4jDevice.open();
  }
}
