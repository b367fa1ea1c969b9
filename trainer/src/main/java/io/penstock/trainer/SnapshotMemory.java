package io.penstock.trainer;

import io.penstock.pipeline.State;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/**
 * Memory that snapshots of a session are copied to, used again and again: fresh memory costs more than the copy. A state gives
 * it back when it is released; while some have not (a checkpoint that is written, a cut for predictions), the next takes memory of its
 * own. So there is as much as was ever held at once.
 */
final class SnapshotMemory {
  private final Supplier<MemorySegment> more;
  private final Queue<MemorySegment> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param more where memory comes from
   */
  SnapshotMemory(Supplier<MemorySegment> more) {
    this.more = more;
  }

  /** Memory for {@code state}, until that is released. */
  MemorySegment takenBy(State state) {
    MemorySegment last = idle.poll();
    MemorySegment memory = last == null ? more.get() : last;
    state.onRelease(() -> idle.add(memory));
    return memory;
  }
}
