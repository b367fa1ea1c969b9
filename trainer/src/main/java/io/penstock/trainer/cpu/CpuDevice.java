package io.penstock.trainer.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BooleanSupplier;

/** Steps on the device thread itself, with the processor's vector instructions. */
public final class CpuDevice implements Device {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(LITTLE_ENDIAN);

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
  public void practise(Program program, BooleanSupplier enough) {
    float[] parameters = new float[program.size(Region.PARAMETERS)];
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = (i % 7 - 3) * 0.01f;
    }
    StepResult result = new StepResult();
    try (SlotMemory memory = slotMemory();
        DeviceSession session = open(program, parameters)) {
      Slot slot = practiceSlot(program.layout(), memory);
      while (!enough.getAsBoolean()) {
        session.trySubmit(slot);
        session.poll(result);
      }
    }
  }

  /** A full minibatch of small numbers, labels 0 and 1, weights 1. */
  private static Slot practiceSlot(SlotLayout layout, SlotMemory memory) {
    Slot slot = new Slot(layout, memory.allocate(layout.byteSize()));
    MemorySegment bytes = slot.memory();
    int rows = layout.capacityRows();
    bytes.set(INT, SlotLayout.VALID_ROWS_OFFSET, rows);
    bytes.set(DOUBLE, SlotLayout.WEIGHT_SUM_OFFSET, rows);
    for (int row = 0; row < rows; row++) {
      long at = (long) row * Float.BYTES;
      for (int feature = 0; feature < layout.features(); feature++) {
        bytes.set(FLOAT, layout.featureOffset(feature) + at, ((row + feature) % 9 - 4) * 0.3f);
      }
      bytes.set(FLOAT, layout.labelOffset() + at, row % 2);
      bytes.set(FLOAT, layout.weightOffset() + at, 1);
    }
    return slot;
  }
}
