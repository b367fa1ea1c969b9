package io.penstock.pipeline;

import org.agrona.collections.Long2LongHashMap;

/**
 * Counts the most frequent categories in bounded memory: Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient computation
 * of frequent and top-k elements in data streams", 2005). With m counters and n categories counted, each that has come more
 * than n/m times has a counter, and no count is too high by more than n/m. The least counter, of equal ones that with the
 * lowest number, goes to the next category that has none. All counters stand at 0 at first.
 */
final class FrequentCategories implements Stateful {
  private static final int NO_COUNTER = -1;
  private static final long NO_CATEGORY = 0;

  private final Long2LongHashMap counters;
  private final long[] categories;
  private final long[] counts;

  /** By how much each count may be too high: what it was when its category took it over. */
  private final long[] surpluses;

  /** Counters as a binary heap, the least first, and each one's place in it. */
  private final int[] heap;

  private final int[] places;

  FrequentCategories(int capacity) {
    counters = map(capacity, NO_COUNTER);
    categories = new long[capacity];
    counts = new long[capacity];
    surpluses = new long[capacity];
    heap = new int[capacity];
    places = new int[capacity];
    for (int counter = 0; counter < capacity; counter++) {
      put(counter, counter);
    }
  }

  /** A map that never grows. */
  static Long2LongHashMap map(int capacity, long missing) {
    return new Long2LongHashMap(2 * capacity + 2, 0.55f, missing);
  }

  /** Counts a category; answers its counter. */
  int count(long category) {
    int counter = (int) counters.get(category);
    if (counter == NO_COUNTER) {
      counter = heap[0];
      counters.remove(categories[counter]);
      surpluses[counter] = counts[counter];
      categories[counter] = category;
      counters.put(category, counter);
    }
    counts[counter]++;
    sink(places[counter]);
    return counter;
  }

  long category(int counter) {
    return categories[counter];
  }

  /** How often the counter's category has come at least. */
  long certainCount(int counter) {
    return counts[counter] - surpluses[counter];
  }

  /** Moves what has grown at {@code place} behind all that is less. */
  private void sink(int place) {
    int counter = heap[place];
    int at = place;
    int child;
    while ((child = lesserChild(at)) < heap.length && less(heap[child], counter)) {
      put(at, heap[child]);
      at = child;
    }
    put(at, counter);
  }

  private int lesserChild(int place) {
    int left = 2 * place + 1;
    int right = left + 1;
    return right < heap.length && less(heap[right], heap[left]) ? right : left;
  }

  private void put(int place, int counter) {
    heap[place] = counter;
    places[counter] = place;
  }

  private boolean less(int a, int b) {
    return counts[a] < counts[b] || (counts[a] == counts[b] && a < b);
  }

  @Override
  public void save(State state) {
    state.put("categories", categories);
    state.put("counts", counts);
    state.put("surpluses", surpluses);
  }

  /** The heap is built anew: which counter is the least, counts alone say. */
  @Override
  public void restore(State state) {
    System.arraycopy(state.longs("categories"), 0, categories, 0, categories.length);
    System.arraycopy(state.longs("counts"), 0, counts, 0, counts.length);
    System.arraycopy(state.longs("surpluses"), 0, surpluses, 0, surpluses.length);
    counters.clear();
    for (int counter = 0; counter < heap.length; counter++) {
      put(counter, counter);
      if (categories[counter] != NO_CATEGORY) {
        counters.put(categories[counter], counter);
      }
    }
    for (int place = heap.length / 2 - 1; place >= 0; place--) {
      sink(place);
    }
  }
}
