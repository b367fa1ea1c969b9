package io.penstock.trainer.cuda;

import io.penstock.trainer.TrainerContract;
import io.penstock.trainer.device.Device;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;

/** On the emulator, which does its work late and out of step. */
class CudaTrainerTest extends TrainerContract {
  private final EmulatedCuda cuda = EmulatedCuda.late(new SplittableRandom().nextLong());

  @Override
  protected Device device() {
    return cuda.device();
  }

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(cuda);
  }
}
