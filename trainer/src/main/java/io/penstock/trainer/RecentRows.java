package io.penstock.trainer;

import io.penstock.pipeline.RowRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which rows the last minibatches were made of, as ranges: three numbers for each stretch of rows of one partition. Allocates
 * nothing once its arrays are as long as they need be.
 */
final class RecentRows {
  /** Minibatches that are remembered. */
  static final int MINIBATCHES = 16;

  /** One more: that which is being noted. */
  private static final int PLACES = MINIBATCHES + 1;

  private final long[][] ranges = new long[PLACES][3];
  private final int[] lengths = new int[PLACES];

  /** Minibatches noted so far; the next one's place is that number modulo that of places. */
  private long noted;

  private long[] open = ranges[0];
  private int length;
  private long partition;

  /** Begins to note a minibatch. */
  void begin() {
    open = ranges[place(noted)];
    length = 0;
  }

  /** Notes a row; rows of a partition come in the order of their numbers. */
  void add(long key, long row) {
    if (length > 0 && key == partition) {
      open[length - 1] = row;
      return;
    }
    if (length == open.length) {
      open = Arrays.copyOf(open, 2 * length + 3);
      ranges[place(noted)] = open;
    }
    partition = key;
    open[length] = key;
    open[length + 1] = row;
    open[length + 2] = row;
    length += 3;
  }

  /** Remembers the minibatch; the oldest one is forgotten. */
  void end() {
    lengths[place(noted)] = length;
    noted++;
  }

  /** How many are remembered. */
  int size() {
    return (int) Math.min(noted, MINIBATCHES);
  }

  /** The rows of the last {@code minibatches}, the oldest first. */
  List<RowRange> last(int minibatches) {
    List<RowRange> found = new ArrayList<>();
    for (long i = noted - minibatches; i < noted; i++) {
      found.addAll(RowRange.ofLongs(Arrays.copyOf(ranges[place(i)], lengths[place(i)])));
    }
    return found;
  }

  /** The rows of the minibatch that is being noted. */
  List<RowRange> current() {
    return RowRange.ofLongs(Arrays.copyOf(open, length));
  }

  /** All that is remembered: for each minibatch how many ranges, and those. */
  long[] save() {
    List<Long> numbers = new ArrayList<>();
    for (long i = noted - size(); i < noted; i++) {
      int count = lengths[place(i)];
      numbers.add(count / 3L);
      Arrays.stream(ranges[place(i)], 0, count).forEach(numbers::add);
    }
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  /** Takes over what {@link #save} gave. */
  void restore(long[] saved) {
    noted = 0;
    for (int at = 0; at < saved.length; ) {
      int count = Math.toIntExact(3 * saved[at++]);
      ranges[place(noted)] = Arrays.copyOfRange(saved, at, at + Math.max(3, count));
      lengths[place(noted)] = count;
      noted++;
      at += count;
    }
  }

  private static int place(long number) {
    return (int) (number % PLACES);
  }
}
