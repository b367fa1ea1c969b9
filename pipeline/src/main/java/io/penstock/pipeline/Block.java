package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/**
 * Consecutive rows of one partition, columnar, in off-heap memory of a {@link BlockPool}. Whoever holds it owns it alone:
 * hand it on or {@link #release} it, once. The pool keeps the memory; a block is an object of its own each time, so that a
 * second {@link #release} cannot reach the next owner's.
 */
public final class Block implements StreamItem {
  private final BlockPool pool;
  private final MemorySegment memory;
  private final int epoch;
  private final PartitionCursor cursor;
  private int rows;
  private long nextRow;
  private long nextOffset;
  private long arrivalNanos;
  private boolean released;

  Block(BlockPool pool, MemorySegment memory, int epoch, PartitionCursor cursor) {
    this.pool = pool;
    this.memory = memory;
    this.epoch = epoch;
    this.cursor = cursor;
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

  /** Takes out the rows from {@code from} until before {@code to}; those behind move up. The position stays as it is. */
  void remove(int from, int to) {
    BlockSchema schema = layout().schema();
    for (int column = 0; column < schema.columns().size(); column++) {
      moveUp(layout().columnOffset(column), schema.columns().get(column).kind().bytes(), from, to);
    }
    moveUp(layout().labelOffset(), Float.BYTES, from, to);
    if (schema.weighted()) {
      moveUp(layout().weightOffset(), Float.BYTES, from, to);
    }
    if (schema.timed()) {
      moveUp(layout().timeOffset(), Long.BYTES, from, to);
    }
    moveUp(layout().rowOffset(), Long.BYTES, from, to);
    rows -= to - from;
  }

  private void moveUp(long column, int valueBytes, int from, int to) {
    MemorySegment.copy(
        memory,
        column + (long) to * valueBytes,
        memory,
        column + (long) from * valueBytes,
        (long) (rows - to) * valueBytes);
  }

  /** Gives the memory back to the pool. */
  public void release() {
    if (!pool.release(this)) {
      throw new IllegalStateException("block released twice: " + cursor.key());
    }
  }

  /** Marks the block as given back; false where it already was. Under the pool's lock. */
  boolean giveBack() {
    boolean held = !released;
    released = true;
    return held;
  }
}
