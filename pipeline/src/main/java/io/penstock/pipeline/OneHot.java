package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.agrona.collections.Long2LongHashMap;

/**
 * Replaces a category's hash by its number, from 1, which becomes a feature for each: the number of a declared value, or of a
 * value's first appearance until {@code capacity} have appeared. 0, none of the features, for any other and for a missing one.
 */
final class OneHot implements ColumnOperator {
  private static final long NONE = 0;

  private final int capacity;
  private final int updateEvery;
  private final boolean learns;
  private final Long2LongHashMap numbers = new Long2LongHashMap(NONE);
  private final long[] hashes;
  private long seen;

  /** Categories known at the last advance of the state: only these have a number yet. */
  private long known;

  OneHot(List<String> values, int capacity, int updateEvery) {
    learns = values.isEmpty();
    this.capacity = learns ? capacity : values.size();
    this.updateEvery = updateEvery;
    hashes = new long[this.capacity];
    for (String value : values) {
      learn(CategoryHash.of(value));
    }
    known = numbers.size();
  }

  @Override
  public Encoding encoding() {
    return Encoding.Indicators.numbered(capacity, true);
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      long hash = Values.getLong(memory, offset, row);
      if (learns) {
        if (hash != 0) {
          learn(hash);
        }
        seen++;
        if (seen <= updateEvery || updateEvery == 1) {
          known = numbers.size();
        }
      }
      Values.setLong(memory, offset, row, number(hash));
      if (learns && seen % updateEvery == 0) {
        known = numbers.size();
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setLong(memory, offset, row, number(Values.getLong(memory, offset, row)));
    }
  }

  private long number(long hash) {
    long number = hash == 0 ? NONE : numbers.get(hash);
    return number <= known ? number : NONE;
  }

  private void learn(long hash) {
    int size = numbers.size();
    if (size < capacity && numbers.get(hash) == NONE) {
      hashes[size] = hash;
      numbers.put(hash, size + 1);
    }
  }

  @Override
  public void save(State state) {
    state.put("seen", seen, known, numbers.size());
    state.put("hashes", hashes);
  }

  @Override
  public void restore(State state) {
    long[] counts = state.longs("seen");
    long[] saved = state.longs("hashes");
    numbers.clear();
    for (int i = 0; i < counts[2]; i++) {
      learn(saved[i]);
    }
    seen = counts[0];
    known = counts[1];
  }
}
