package io.penstock.trainer;

/**
 * Counts of durations in buckets whose width grows with the value: 16 for each power of two, so that a quantile is at most 1/32
 * off. Fixed memory, nothing allocated by counting. Not thread-safe.
 */
public final class Histogram {
  private static final int SUB_BITS = 4;
  private static final int SUBS = 1 << SUB_BITS;

  private final long[] counts = new long[(Long.SIZE - SUB_BITS) * SUBS];
  private long total;

  /** Counts {@code times} durations of {@code nanos}; negative ones count as 0. */
  public void add(long nanos, long times) {
    counts[bucket(Math.max(0, nanos))] += times;
    total += times;
  }

  long total() {
    return total;
  }

  /** The value that the share {@code q} of all durations do not exceed, as the middle of its bucket; NaN where there are none. */
  public double quantile(double q) {
    if (total == 0) {
      return Double.NaN;
    }
    long rank = Math.max(1, (long) Math.ceil(q * total));
    int bucket = -1;
    for (long seen = 0; seen < rank; ) {
      bucket++;
      seen += counts[bucket];
    }
    return middle(bucket);
  }

  private static int bucket(long value) {
    if (value < SUBS) {
      return (int) value;
    }
    int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(value) - SUB_BITS;
    return (shift << SUB_BITS) + (int) (value >>> shift);
  }

  private static double middle(int bucket) {
    if (bucket < SUBS) {
      return bucket;
    }
    int shift = (bucket >> SUB_BITS) - 1;
    double width = Math.scalb(1.0, shift);
    return ((bucket & (SUBS - 1)) + SUBS) * width + (width - 1) / 2;
  }
}
