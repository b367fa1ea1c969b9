package io.penstock.trainer.cpu;

import io.penstock.trainer.TrainerContract;
import io.penstock.trainer.device.Device;

class CpuTrainerTest extends TrainerContract {
  @Override
  protected Device device() {
    return new CpuDevice();
  }
}
