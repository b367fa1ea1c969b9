package io.penstock.trainer.cpu;

import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Program;

/** Steps on the device thread itself, with the processor's vector instructions. */
public final class CpuDevice implements Device {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "%s, vectors of %d bits, 1 thread"
        .formatted(System.getProperty("os.arch"), Memory.SPECIES.vectorBitSize());
  }

  @Override
  public SlotMemory slotMemory() {
    return new CpuSlotMemory();
  }

  @Override
  public DeviceSession open(Program program, float[] parameters) {
    FmaUse.require();
    return new CpuSession(program, parameters);
  }

  @Override
  public boolean isCompiledWhileRunning() {
    return true;
  }
}
