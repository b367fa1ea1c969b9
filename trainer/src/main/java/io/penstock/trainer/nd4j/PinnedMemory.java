package io.penstock.trainer.nd4j;

import io.penstock.pipeline.SlotMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;

/** Host memory that ND4J pins, so that the GPU copies from and to it by itself; with the native backend, plain memory. */
final class PinnedMemory implements SlotMemory {
  private static final long ALIGNMENT = 64;

  private final Library library;

  /** Ends the segments before their memory is freed. */
  private final Arena arena = Arena.ofShared();

  private final List<Pointer> blocks = new ArrayList<>();

  PinnedMemory(Library library) {
    this.library = library;
  }

  @Override
  public MemorySegment allocate(long bytes) {
    Pointer block = library.ops().mallocHost(bytes + ALIGNMENT, 0);
    if (block == null || block.isNull()) {
      throw new IllegalStateException(
          "nd4j: %d bytes of pinned memory cannot be had (%s); make pipeline.slots or batch.size smaller"
              .formatted(bytes, library.ops().lastErrorMessage()));
    }
    blocks.add(block);
    long aligned = (block.address() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return MemorySegment.ofAddress(aligned).reinterpret(bytes, arena, null).fill((byte) 0);
  }

  @Override
  public void close() {
    arena.close();
    blocks.forEach(library.ops()::freeHost);
    blocks.clear();
  }
}
