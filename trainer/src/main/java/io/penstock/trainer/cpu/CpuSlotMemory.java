package io.penstock.trainer.cpu;

import io.penstock.pipeline.SlotMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Slots in plain native memory. */
final class CpuSlotMemory implements SlotMemory {
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();

  @Override
  public MemorySegment allocate(long bytes) {
    return arena.allocate(bytes, ALIGNMENT);
  }

  @Override
  public void close() {
    arena.close();
  }
}
