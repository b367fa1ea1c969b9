package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.agrona.collections.Long2LongHashMap;

/**
 * Replaces a category's hash by its index, which the assembler spreads over as many features: the index of a declared value,
 * or of a value's first appearance until {@code capacity} have appeared. -1 for any other, and for a missing one: none of the
 * features is set.
 */
final class OneHot implements ColumnOperator {
  private static final long NONE = -1;

  private final int capacity;
  private final int updateEvery;
  private final boolean learns;
  private final Long2LongHashMap indices = new Long2LongHashMap(NONE);
  private final long[] hashes;
  private long seen;

  /** Categories known at the last advance of the state: only these have an index yet. */
  private long known;

  OneHot(List<String> values, int capacity, int updateEvery) {
    learns = values.isEmpty();
    this.capacity = learns ? capacity : values.size();
    this.updateEvery = updateEvery;
    hashes = new long[this.capacity];
    for (String value : values) {
      learn(CategoryHash.of(value));
    }
    known = indices.size();
  }

  /** Features that this column becomes. */
  int features() {
    return capacity;
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
          known = indices.size();
        }
      }
      Values.setLong(memory, offset, row, index(hash));
      if (learns && seen % updateEvery == 0) {
        known = indices.size();
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setLong(memory, offset, row, index(Values.getLong(memory, offset, row)));
    }
  }

  private long index(long hash) {
    long index = hash == 0 ? NONE : indices.get(hash);
    return index < known ? index : NONE;
  }

  private void learn(long hash) {
    int size = indices.size();
    if (size < capacity && indices.get(hash) == NONE) {
      hashes[size] = hash;
      indices.put(hash, size);
    }
  }

  @Override
  public void save(State state) {
    state.put("seen", seen, known, indices.size());
    state.put("hashes", hashes);
  }

  @Override
  public void restore(State state) {
    long[] counts = state.longs("seen");
    long[] saved = state.longs("hashes");
    indices.clear();
    for (int i = 0; i < counts[2]; i++) {
      learn(saved[i]);
    }
    seen = counts[0];
    known = counts[1];
  }
}
