package io.penstock.pipeline;

/**
 * Rows of one fate (trained, skipped, rejected, lost): how many, and the sum modulo 2¹²⁸ of a hash of each row's place. Equal
 * tallies mean, but for a chance of 2⁻¹²⁸, the same rows as often, whatever the order. Not thread-safe.
 *
 * <p>The hash, part of saved state, must never change: with p = {@link PartitionCursor#key()}, r = row number, and mix the
 * finalizer of SplitMix64 (Stafford's variant 13): low = mix(mix(p + A) + r B), high = mix(mix(p + C) ^ (r D + A)).
 */
public final class RowTally {
  private static final long A = 0x9e3779b97f4a7c15L;
  private static final long B = 0xd1342543de82ef95L;
  private static final long C = 0xaf251af3b0f025b5L;
  private static final long D = 0xda942042e4dd58b5L;

  private long rows;
  private long high;
  private long low;
  private long partition = -1;
  private long partitionLow = mix(-1 + A);
  private long partitionHigh = mix(-1 + C);

  /** Counts the row {@code row} of the partition with key {@code partitionKey}. */
  public void add(long partitionKey, long row) {
    if (partitionKey != partition) {
      partition = partitionKey;
      partitionLow = mix(partitionKey + A);
      partitionHigh = mix(partitionKey + C);
    }
    rows++;
    addHash(mix(partitionHigh ^ (row * D + A)), mix(partitionLow + row * B));
  }

  /** Counts all rows of {@code that} in. */
  public void add(RowTally that) {
    rows += that.rows;
    addHash(that.high, that.low);
  }

  /** Takes the rows of {@code that}, all of which are counted here, out again. */
  public void remove(RowTally that) {
    rows -= that.rows;
    long borrow = Long.compareUnsigned(low, that.low) < 0 ? 1 : 0;
    low -= that.low;
    high -= that.high + borrow;
  }

  private void addHash(long moreHigh, long moreLow) {
    long sum = low + moreLow;
    high += moreHigh + (Long.compareUnsigned(sum, low) < 0 ? 1 : 0);
    low = sum;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  public long rows() {
    return rows;
  }

  /** The sum of the hashes, 32 hexadecimal digits. */
  public String hash() {
    return "%016x%016x".formatted(high, low);
  }

  /** Writes the tally under {@code name}. */
  public void save(State state, String name) {
    state.put(name, rows, high, low);
  }

  /** Takes over what {@link #save} wrote. */
  public void restore(State state, String name) {
    long[] saved = state.longs(name);
    rows = saved[0];
    high = saved[1];
    low = saved[2];
  }
}
