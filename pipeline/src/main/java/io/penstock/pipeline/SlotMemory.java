package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/** Where slots lie: memory that the device can copy from (pinned, for a GPU). Implemented by devices. */
public interface SlotMemory extends AutoCloseable {

  /** Zeroed memory, aligned to 64 bytes, valid until {@link #close}. */
  MemorySegment allocate(long bytes);

  /** Frees everything allocated. Called after the last reader is done. */
  @Override
  void close();
}
