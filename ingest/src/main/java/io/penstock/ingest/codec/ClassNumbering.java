package io.penstock.ingest.codec;

import io.penstock.pipeline.State;
import org.jspecify.annotations.Nullable;

/**
 * Whether the integer classes of a stream count from 0 or from 1: settled for all partitions of a source by the first label
 * that only one of the two has, 0 or the number of classes. Thread-safe.
 */
public final class ClassNumbering {
  private static final String SAVED = "classesFrom";

  private volatile int origin;

  /** As a source has saved it ({@link #save}); nothing is settled where it has not. */
  public static ClassNumbering restored(@Nullable State source) {
    return source == null || !source.has(SAVED)
        ? new ClassNumbering()
        : new ClassNumbering((int) source.longs(SAVED)[0]);
  }

  /** Writes what is settled among what a source saves. */
  public void save(State source) {
    source.put(SAVED, (long) origin);
  }

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
