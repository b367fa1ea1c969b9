package io.penstock.trainer;

import io.penstock.pipeline.State;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Memory that snapshots of a session are copied to, used again and again: fresh memory costs more than the copy. A state gives
 * it back when it is released; while one has not, the next takes memory of its own.
 */
final class SnapshotMemory {
  private final Supplier<MemorySegment> more;
  private final AtomicReference<@Nullable MemorySegment> idle = new AtomicReference<>();

  /**
   * @param more where memory comes from
   */
  SnapshotMemory(Supplier<MemorySegment> more) {
    this.more = more;
  }

  /** Memory for {@code state}, until that is released. */
  MemorySegment takenBy(State state) {
    MemorySegment last = idle.getAndSet(null);
    MemorySegment memory = last == null ? more.get() : last;
    state.onRelease(() -> idle.set(memory));
    return memory;
  }
}
