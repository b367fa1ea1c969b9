package io.penstock.pipeline;

import java.util.List;

/**
 * Where the columns of a block lie in its memory: feature columns, derived ones last, then label, weight, event time, row number. Every column
 * takes an odd number of cache lines: with a power of two, the same row of all columns would fall into one cache set.
 */
public final class BlockLayout {
  static final int CACHE_LINE_BYTES = 64;

  /** No block is larger than this, whatever its memory allows. */
  public static final int MAX_ROWS = 8192;

  private static final int MIN_ROWS = 64;
  private static final long TARGET_BYTES = 256 << 10;

  private final BlockSchema schema;
  private final int capacityRows;
  private final long[] columnOffsets;
  private final long labelOffset;
  private final long weightOffset;
  private final long timeOffset;
  private final long rowOffset;
  private final long byteSize;

  public BlockLayout(BlockSchema schema, int capacityRows) {
    if (capacityRows < 1 || capacityRows > MAX_ROWS) {
      throw new IllegalArgumentException(
          "block: rows must be 1 to " + MAX_ROWS + ", not " + capacityRows);
    }
    this.schema = schema;
    this.capacityRows = capacityRows;
    List<BlockSchema.Column> columns = schema.allColumns();
    columnOffsets = new long[columns.size()];
    long offset = 0;
    for (int i = 0; i < columnOffsets.length; i++) {
      columnOffsets[i] = offset;
      offset += columnBytes(capacityRows, columns.get(i).kind().bytes());
    }
    labelOffset = offset;
    offset += columnBytes(capacityRows, Float.BYTES);
    weightOffset = offset;
    offset += schema.weighted() ? columnBytes(capacityRows, Float.BYTES) : 0;
    timeOffset = offset;
    offset += schema.timed() ? columnBytes(capacityRows, Long.BYTES) : 0;
    rowOffset = offset;
    byteSize = offset + columnBytes(capacityRows, Long.BYTES);
  }

  /** Blocks of about 256 KiB, so that decoder, operators and assembler find each other's work in the L2 cache. */
  public static BlockLayout of(BlockSchema schema) {
    long rowBytes = new BlockLayout(schema, MIN_ROWS).byteSize / MIN_ROWS;
    return new BlockLayout(
        schema, Math.clamp(TARGET_BYTES / rowBytes / 64 * 64, MIN_ROWS, MAX_ROWS));
  }

  /** Bytes from one column to the next: {@code rows} values, rounded up to an odd number of cache lines. */
  static long columnBytes(int rows, int valueBytes) {
    long lines = ((long) rows * valueBytes + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES;
    return (lines | 1) * CACHE_LINE_BYTES;
  }

  public BlockSchema schema() {
    return schema;
  }

  public int capacityRows() {
    return capacityRows;
  }

  /** Byte offset of column {@code column} of {@link BlockSchema#allColumns}; its value of row r lies {@code r * kind.bytes()} further. */
  public long columnOffset(int column) {
    return columnOffsets[column];
  }

  /** Byte offset of the labels, a float each. */
  public long labelOffset() {
    return labelOffset;
  }

  /** Byte offset of the row weights, a float each; only where the schema is weighted. */
  public long weightOffset() {
    return weightOffset;
  }

  /** Byte offset of the event times, nanoseconds since 1970 as a long each; only where the schema is timed. */
  public long timeOffset() {
    return timeOffset;
  }

  /** Byte offset of the row numbers within the partition, a long each. */
  public long rowOffset() {
    return rowOffset;
  }

  public long byteSize() {
    return byteSize;
  }
}
