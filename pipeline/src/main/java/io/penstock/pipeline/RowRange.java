package io.penstock.pipeline;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Consecutive rows of a partition.
 *
 * @param partition {@link PartitionCursor#key()}
 * @param first number of the first row
 * @param last number of the last row
 */
public record RowRange(long partition, long first, long last) {
  /** Checks the order. */
  public RowRange {
    if (first > last) {
      throw new IllegalArgumentException("rows %d to %d are no range".formatted(first, last));
    }
  }

  /** The same rows in fewer ranges, in order: those that touch are one. */
  static List<RowRange> joined(List<RowRange> ranges) {
    List<RowRange> joined = new ArrayList<>();
    for (RowRange range :
        ranges.stream()
            .sorted(
                Comparator.comparingLong(RowRange::partition).thenComparingLong(RowRange::first))
            .toList()) {
      RowRange before = joined.isEmpty() ? null : joined.getLast();
      if (before != null
          && before.partition() == range.partition()
          && range.first() <= before.last() + 1) {
        joined.set(
            joined.size() - 1,
            new RowRange(
                before.partition(), before.first(), Math.max(before.last(), range.last())));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }

  /** Ranges as numbers, three each, for a saved state. */
  public static long[] toLongs(List<RowRange> ranges) {
    return ranges.stream()
        .flatMapToLong(r -> LongStream.of(r.partition(), r.first(), r.last()))
        .toArray();
  }

  /** What {@link #toLongs} made. */
  public static List<RowRange> ofLongs(long[] numbers) {
    List<RowRange> ranges = new ArrayList<>();
    for (int i = 0; i < numbers.length; i += 3) {
      ranges.add(new RowRange(numbers[i], numbers[i + 1], numbers[i + 2]));
    }
    return ranges;
  }
}
