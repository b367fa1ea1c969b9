package io.penstock.trainer.cuda;

import io.penstock.pipeline.SlotMemory;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;

/**
 * Slots in pinned memory, of which there must not be too much: the machine cannot swap it. All slots together may take half of the
 * machine's or container's memory, and none more than is free when it is allocated, less what the heap may still take.
 */
final class CudaSlotMemory implements SlotMemory {
  private final CudaContext context;
  private final FreeMemory free;
  private long allocatedBytes;

  CudaSlotMemory(CudaContext context, FreeMemory free) {
    this.context = context;
    this.free = free;
  }

  @Override
  public MemorySegment allocate(long bytes) {
    long most = machineBytes() / 2;
    if (bytes > most - allocatedBytes) {
      throw new IllegalStateException(
          "cuda: slots need %d MiB of pinned memory and more, but at most half of this machine's (or container's) memory, %d MiB, may be pinned; make batch.size or pipeline.slots smaller"
              .formatted(mebibytes(allocatedBytes + bytes), most >> 20));
    }
    requireFree(bytes);
    context.use();
    MemorySegment memory = context.pinned(bytes);
    allocatedBytes += bytes;
    return memory;
  }

  private void requireFree(long bytes) {
    FreeMemory.Found found = free.find();
    long heap = heapGrowth();
    if (found != null && bytes > found.bytes() - heap) {
      throw new IllegalStateException(
          "cuda: a slot needs %d MiB of pinned memory beside the %d MiB that others have, but %s has %d MiB free, and the heap may still take %d MiB of that; make batch.size or pipeline.slots smaller, lower -Xmx, or end what else uses the memory"
              .formatted(
                  mebibytes(bytes),
                  allocatedBytes >> 20,
                  found.where(),
                  found.bytes() >> 20,
                  heap >> 20));
    }
  }

  /** Bytes by which the heap may still grow. */
  private static long heapGrowth() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
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
