package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/**
 * Replaces a category by the number of a bucket, from 1, which becomes a feature for each; signed, by minus that for half of all
 * categories (Weinberger et al., "Feature hashing for large scale multitask learning", 2009). 0, none of them, for a missing one.
 */
final class Hash implements ColumnOperator {
  private final int buckets;
  private final boolean signed;

  Hash(int buckets, boolean signed) {
    this.buckets = buckets;
    this.signed = signed;
  }

  @Override
  public Encoding encoding() {
    return Encoding.Indicators.numbered(buckets, true);
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      long category = Values.getLong(memory, offset, row);
      Values.setLong(memory, offset, row, category == 0 ? 0 : number(category));
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    process(memory, offset, rows);
  }

  private int number(long category) {
    int hash = murmur3(category);
    int number = 1 + (hash & Integer.MAX_VALUE) % buckets;
    return signed && hash < 0 ? -number : number;
  }

  /** MurmurHash3_x86_32 (Appleby, 2011) with seed 0 of the eight bytes of {@code value}, lowest first. */
  static int murmur3(long value) {
    int h = mix(mix(0, (int) value), (int) (value >>> 32)) ^ Long.BYTES;
    h = (h ^ (h >>> 16)) * 0x85ebca6b;
    h = (h ^ (h >>> 13)) * 0xc2b2ae35;
    return h ^ (h >>> 16);
  }

  private static int mix(int hash, int word) {
    int k = Integer.rotateLeft(word * 0xcc9e2d51, 15) * 0x1b873593;
    return Integer.rotateLeft(hash ^ k, 13) * 5 + 0xe6546b64;
  }

  @Override
  public void save(State state) {}

  @Override
  public void restore(State state) {}
}
