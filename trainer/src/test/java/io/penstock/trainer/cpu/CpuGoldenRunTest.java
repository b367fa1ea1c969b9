package io.penstock.trainer.cpu;

import io.penstock.trainer.GoldenRunContract;
import io.penstock.trainer.device.Device;

class CpuGoldenRunTest extends GoldenRunContract {
  @Override
  protected Device device() {
    return new CpuDevice();
  }
}
