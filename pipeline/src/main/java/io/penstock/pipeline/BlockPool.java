package io.penstock.pipeline;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All blocks of a run, bounded in bytes: what is free here is the credit that sources have. Several sources have a share each,
 * so that none takes what another lives on. Memory is taken from the system when first needed and kept until {@link #close}.
 * Thread-safe; one short lock a block, none a row.
 */
public final class BlockPool implements AutoCloseable {
  private static final int MIN_BLOCKS = 4;

  private final BlockLayout layout;
  private final int capacityBlocks;
  private final Arena arena = Arena.ofShared();
  private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
  private final Credit[] credits;
  private int made;
  private int held;
  private int mostHeld;
  private boolean closed;

  /** What one source may hold, and who waits for it. */
  private static final class Credit {
    private final int blocks;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private int held;

    Credit(int blocks) {
      this.blocks = blocks;
    }
  }

  /**
   * A pool for one source.
   *
   * @param maxBytes bound on the memory of all blocks; must have room for four
   */
  public BlockPool(BlockLayout layout, long maxBytes) {
    this(layout, maxBytes, List.of(1));
  }

  /**
   * A pool for several sources.
   *
   * @param maxBytes bound on the memory of all blocks; must have room for four, and for one a source
   * @param shares what each source may hold, in proportion, by its index in the configuration
   */
  public BlockPool(BlockLayout layout, long maxBytes, List<Integer> shares) {
    this.layout = layout;
    long blocks = maxBytes / layout.byteSize();
    int atLeast = Math.max(MIN_BLOCKS, shares.size());
    if (blocks < atLeast) {
      throw new IllegalArgumentException(
          "block pool: %d bytes hold %d blocks of %d rows (%d bytes each); at least %d must fit (pipeline.memory)"
              .formatted(maxBytes, blocks, layout.capacityRows(), layout.byteSize(), atLeast));
    }
    capacityBlocks = (int) Math.min(blocks, 1 << 16);
    credits = credits(shares);
  }

  /** One block each, and the others by share. */
  private Credit[] credits(List<Integer> shares) {
    long all = shares.stream().mapToLong(Integer::longValue).sum();
    long others = (long) capacityBlocks - shares.size();
    return shares.stream()
        .map(share -> new Credit((int) (1 + others * share / all)))
        .toArray(Credit[]::new);
  }

  private Credit credit(PartitionCursor cursor) {
    return credits[credits.length == 1 ? 0 : cursor.source()];
  }

  public BlockLayout layout() {
    return layout;
  }

  public int capacityBlocks() {
    return capacityBlocks;
  }

  /** Takes an empty block for rows of {@code cursor}'s partition; null where its source holds all that it may. */
  public synchronized @Nullable Block tryAcquire(int epoch, PartitionCursor cursor) {
    Credit credit = credit(cursor);
    if (closed || credit.held == credit.blocks) {
      return null;
    }
    MemorySegment memory = free.poll();
    if (memory == null) {
      made++;
      memory = arena.allocate(layout.byteSize(), BlockLayout.CACHE_LINE_BYTES);
    }
    credit.held++;
    held++;
    mostHeld = Math.max(mostHeld, held);
    return new Block(this, memory, epoch, cursor);
  }

  /**
   * Runs {@code retry} once when a block is free again for {@code cursor}'s source: at once where one is, otherwise on the thread
   * that gives one back, so it must only hand over to its own thread. First come, first served.
   */
  public void whenFree(PartitionCursor cursor, Runnable retry) {
    synchronized (this) {
      Credit credit = credit(cursor);
      if (credit.held == credit.blocks) {
        credit.waiting.add(retry);
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
      Credit credit = credit(block.cursor());
      credit.held--;
      held--;
      free.push(block.memory());
      next = credit.waiting.poll();
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
