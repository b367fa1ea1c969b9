package io.penstock.ingest.codec;

/**
 * Whether the integer classes of a stream count from 0 or from 1: settled for all partitions of a source by the first label
 * that only one of the two has, 0 or the number of classes. Thread-safe.
 */
public final class ClassNumbering {
  private volatile int origin;

  /** Nothing is settled. */
  public ClassNumbering() {
    this(-1);
  }

  /** As {@link #origin} said. */
  public ClassNumbering(int origin) {
    this.origin = origin;
  }

  /** What is settled: classes count from 0, from 1, or -1 where the stream has not shown it. */
  public int origin() {
    return origin;
  }

  /** Claims that classes count from {@code first} (0 or 1); false where the stream has shown the other already. */
  synchronized boolean countsFrom(int first) {
    if (origin < 0) {
      origin = first;
    }
    return origin == first;
  }
}
