package io.penstock.pipeline;

import java.util.concurrent.atomic.LongAdder;

/**
 * What one stage did with its time, in nanoseconds, and how many rows and bytes passed. Counted once a block or minibatch,
 * never a row; any thread.
 */
public final class StageMeter {
  private final String name;
  private final LongAdder busyNanos = new LongAdder();
  private final LongAdder blockedNanos = new LongAdder();
  private final LongAdder starvedNanos = new LongAdder();
  private final LongAdder rows = new LongAdder();
  private final LongAdder bytes = new LongAdder();

  public StageMeter(String name) {
    this.name = name;
  }

  /** {@code ingest}, {@code operators}, {@code assembler}, {@code device}. */
  public String name() {
    return name;
  }

  /** Working. */
  public void busy(long nanos) {
    busyNanos.add(nanos);
  }

  /** Having work but no room downstream. */
  public void blocked(long nanos) {
    blockedNanos.add(nanos);
  }

  /** Having room but no work from upstream. */
  public void starved(long nanos) {
    starvedNanos.add(nanos);
  }

  public void passed(long rows, long bytes) {
    this.rows.add(rows);
    this.bytes.add(bytes);
  }

  public long busyNanos() {
    return busyNanos.sum();
  }

  public long blockedNanos() {
    return blockedNanos.sum();
  }

  public long starvedNanos() {
    return starvedNanos.sum();
  }

  public long rows() {
    return rows.sum();
  }

  public long bytes() {
    return bytes.sum();
  }
}
