package io.penstock.app;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Semaphore;

/** The cpu device behind a gate: it takes one minibatch for each permit. A trainer slowed to a crawl, without a clock. */
final class GatedDevice implements Device {
  private final Device cpu = new CpuDevice();
  private final Semaphore gate = new Semaphore(0);

  /** Lets so many minibatches pass. */
  void open(int steps) {
    gate.release(steps);
  }

  @Override
  public String name() {
    return "gated cpu";
  }

  @Override
  public String description() {
    return cpu.description();
  }

  @Override
  public SlotMemory slotMemory() {
    return cpu.slotMemory();
  }

  @Override
  public DeviceSession open(Program program, float[] parameters) {
    DeviceSession session = cpu.open(program, parameters);
    return new DeviceSession() {
      @Override
      public Program program() {
        return session.program();
      }

      @Override
      public boolean trySubmit(Slot slot) {
        if (!gate.tryAcquire()) {
          return false;
        }
        if (!session.trySubmit(slot)) {
          gate.release();
          return false;
        }
        return true;
      }

      @Override
      public boolean poll(StepResult result) {
        return session.poll(result);
      }

      @Override
      public void read(Region region, MemorySegment to) {
        session.read(region, to);
      }

      @Override
      public void write(Region region, float[] from) {
        session.write(region, from);
      }

      @Override
      public void read(TrainingState to) {
        session.read(to);
      }

      @Override
      public void write(TrainingState from) {
        session.write(from);
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }
}
