package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Long2LongHashMap;

/**
 * Replaces a category by its number, from 1, which becomes a feature for each; the most frequent have one of their own, all
 * others share the last. 0, none of them, for a missing one.
 *
 * <p>Frequent is what {@link FrequentCategories} counts often enough. A feature belongs to a counter: it goes to the category
 * that has the counter as soon as that has come {@code minCount} times for certain, and has no feature yet. Until then the one
 * before keeps it, counted or not. So features change hands only at boundaries, and only for those that are there to stay.
 */
final class Dictionary implements ColumnOperator {
  private static final long NONE = 0;

  private final int minCount;
  private final int updateEvery;
  private final FrequentCategories frequent;
  private final long other;

  /** Category of each counter's feature. */
  private final long[] holders;

  private final Long2LongHashMap numbers;

  /** Counters that have advanced since the last boundary, in their order. */
  private final int[] advanced;

  private int advancedCount;
  private long seen;

  Dictionary(int capacity, int minCount, int updateEvery) {
    this.minCount = minCount;
    this.updateEvery = updateEvery;
    frequent = new FrequentCategories(capacity);
    holders = new long[capacity];
    numbers = FrequentCategories.map(capacity, NONE);
    other = capacity + 1L;
    advanced = new int[updateEvery];
  }

  @Override
  public Encoding encoding() {
    List<String> suffixes =
        new ArrayList<>(Encoding.Indicators.numbered(holders.length, true).suffixes());
    suffixes.add("other");
    return new Encoding.Indicators(suffixes, true);
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      long category = Values.getLong(memory, offset, row);
      if (category != NONE) {
        advanced[advancedCount++] = frequent.count(category);
      }
      seen++;
      if (seen <= updateEvery || updateEvery == 1) {
        settle();
      }
      Values.setLong(memory, offset, row, number(category));
      if (seen % updateEvery == 0) {
        settle();
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setLong(memory, offset, row, number(Values.getLong(memory, offset, row)));
    }
  }

  private long number(long category) {
    if (category == NONE) {
      return NONE;
    }
    long number = numbers.get(category);
    return number == NONE ? other : number;
  }

  /** Gives features to the categories that have come often enough. */
  private void settle() {
    for (int i = 0; i < advancedCount; i++) {
      int counter = advanced[i];
      long category = frequent.category(counter);
      if (frequent.certainCount(counter) >= minCount && numbers.get(category) == NONE) {
        numbers.remove(holders[counter]);
        hold(counter, category);
      }
    }
    advancedCount = 0;
  }

  private void hold(int counter, long category) {
    holders[counter] = category;
    numbers.put(category, counter + 1L);
  }

  @Override
  public void save(State state) {
    frequent.save(state);
    state.put("seen", seen);
    state.put("holders", holders);
    long[] open = new long[advancedCount];
    for (int i = 0; i < open.length; i++) {
      open[i] = advanced[i];
    }
    state.put("advanced", open);
  }

  @Override
  public void restore(State state) {
    frequent.restore(state);
    seen = state.longs("seen")[0];
    numbers.clear();
    long[] saved = state.longs("holders");
    for (int counter = 0; counter < holders.length; counter++) {
      holders[counter] = NONE;
      if (saved[counter] != NONE) {
        hold(counter, saved[counter]);
      }
    }
    advancedCount = 0;
    for (long counter : state.longs("advanced")) {
      advanced[advancedCount++] = (int) counter;
    }
  }
}
