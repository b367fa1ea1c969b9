package io.penstock.trainer.nd4j;

import io.penstock.trainer.TrainerContract;
import io.penstock.trainer.device.Device;
import org.junit.jupiter.api.Tag;

@Tag("nd4j")
class Nd4jTrainerTest extends TrainerContract {
  @Override
  protected Device device() {
    return Nd4jDevice.open();
  }
}
