package io.penstock.pipeline;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * All blocks of a run, bounded in bytes: what is free here is the credit that sources have. Memory is taken from the system
 * when first needed and kept until {@link #close}. Thread-safe; one short lock a block, none a row.
 */
public final class BlockPool implements AutoCloseable {
  private static final int MIN_BLOCKS = 4;

  private final BlockLayout layout;
  private final int capacityBlocks;
  private final Arena arena = Arena.ofShared();
  private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private int made;
  private int held;
  private int mostHeld;
  private boolean closed;

  /**
   * @param maxBytes bound on the memory of all blocks; must have room for four
   */
  public BlockPool(BlockLayout layout, long maxBytes) {
    this.layout = layout;
    long blocks = maxBytes / layout.byteSize();
    if (blocks < MIN_BLOCKS) {
      throw new IllegalArgumentException(
          "block pool: %d bytes hold %d blocks of %d rows (%d bytes each); at least %d must fit"
              .formatted(maxBytes, blocks, layout.capacityRows(), layout.byteSize(), MIN_BLOCKS));
    }
    capacityBlocks = (int) Math.min(blocks, 1 << 16);
  }

  public BlockLayout layout() {
    return layout;
  }

  public int capacityBlocks() {
    return capacityBlocks;
  }

  /** Takes an empty block for rows of {@code cursor}'s partition; null where all are held. */
  public synchronized @Nullable Block tryAcquire(int epoch, PartitionCursor cursor) {
    MemorySegment memory = closed ? null : free.poll();
    if (memory == null) {
      if (made == capacityBlocks || closed) {
        return null;
      }
      made++;
      memory = arena.allocate(layout.byteSize(), BlockLayout.CACHE_LINE_BYTES);
    }
    held++;
    mostHeld = Math.max(mostHeld, held);
    return new Block(this, memory, epoch, cursor);
  }

  /**
   * Runs {@code retry} once when a block is free again: at once where one is, otherwise on the thread that gives one back, so
   * it must only hand over to its own thread. First come, first served.
   */
  public void whenFree(Runnable retry) {
    synchronized (this) {
      if (free.isEmpty() && made == capacityBlocks) {
        waiting.add(retry);
        return;
      }
    }
    retry.run();
  }

  /** False where the block had been given back already. */
  boolean release(Block block) {
    Runnable next;
    synchronized (this) {
      if (!block.giveBack()) {
        return false;
      }
      held--;
      free.push(block.memory());
      next = waiting.poll();
      if (closed && held == 0) {
        arena.close();
      }
    }
    if (next != null) {
      next.run();
    }
    return true;
  }

  /** Blocks that somebody owns now. 0 after a run: anything else is a leak. */
  public synchronized int held() {
    return held;
  }

  /** The most blocks that were held at once. */
  public synchronized int mostHeld() {
    return mostHeld;
  }

  /** Bytes taken from the system so far. */
  public synchronized long allocatedBytes() {
    return made * layout.byteSize();
  }

  /** Frees the memory, at the latest when the last block in use comes back. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (held == 0) {
        arena.close();
      }
    }
  }
}
