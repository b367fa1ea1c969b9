package io.penstock.trainer.cuda;

import io.penstock.pipeline.SlotMemory;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;

/** Slots in pinned memory, of which there must not be too much: the machine cannot swap it. */
final class CudaSlotMemory implements SlotMemory {
  private final CudaContext context;
  private long allocatedBytes;

  CudaSlotMemory(CudaContext context) {
    this.context = context;
  }

  @Override
  public MemorySegment allocate(long bytes) {
    long most = machineBytes() / 2;
    if (bytes > most - allocatedBytes) {
      throw new IllegalStateException(
          "cuda: slots need %d MiB of pinned memory and more, but at most half of this machine's (or container's) memory, %d MiB, may be pinned; make batch.size or pipeline.slots smaller"
              .formatted((allocatedBytes + bytes) >> 20, most >> 20));
    }
    context.use();
    MemorySegment memory = context.pinned(bytes);
    allocatedBytes += bytes;
    return memory;
  }

  /** Memory of the machine, or of the control group if that is less. */
  private static long machineBytes() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
        .getTotalMemorySize();
  }

  @Override
  public void close() {
    context.close();
  }
}
