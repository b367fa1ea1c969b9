package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/**
 * Consecutive rows of one partition, columnar, in off-heap memory of a {@link BlockPool}. Whoever holds it owns it alone:
 * hand it on or {@link #release} it, once.
 */
public final class Block implements StreamItem {
  private final BlockPool pool;
  private final MemorySegment memory;
  private int epoch;
  private PartitionCursor cursor;
  private int rows;
  private long nextRow;
  private long nextOffset;
  private long arrivalNanos;
  private boolean free = true;

  Block(BlockPool pool, MemorySegment memory, PartitionCursor none) {
    this.pool = pool;
    this.memory = memory;
    this.cursor = none;
  }

  /** The block's memory, laid out by {@link #layout}. Values are little-endian. */
  public MemorySegment memory() {
    return memory;
  }

  public BlockLayout layout() {
    return pool.layout();
  }

  @Override
  public int epoch() {
    return epoch;
  }

  /** The partition that all rows are from. */
  public PartitionCursor cursor() {
    return cursor;
  }

  /** Rows held. A block may hold none: then it only moves the partition's position past rejected rows. */
  public int rows() {
    return rows;
  }

  /** Where the partition resumes behind this block: number of the row, rejected rows counted in. */
  public long nextRow() {
    return nextRow;
  }

  /** Where the partition resumes behind this block, in the source's own unit. */
  public long nextOffset() {
    return nextOffset;
  }

  /** When the last of the rows arrived, nanoseconds since 1970. */
  public long arrivalNanos() {
    return arrivalNanos;
  }

  /** Called by the decoder when the block is full or sent on. */
  public void seal(int rows, long nextRow, long nextOffset, long arrivalNanos) {
    this.rows = rows;
    this.nextRow = nextRow;
    this.nextOffset = nextOffset;
    this.arrivalNanos = arrivalNanos;
  }

  /** Gives the memory back to the pool. */
  public void release() {
    pool.release(this);
  }

  void take(int epoch, PartitionCursor cursor) {
    this.epoch = epoch;
    this.cursor = cursor;
    rows = 0;
    free = false;
  }

  /** Marks the block as given back; false where it already was. */
  boolean giveBack() {
    boolean held = !free;
    free = true;
    return held;
  }
}
