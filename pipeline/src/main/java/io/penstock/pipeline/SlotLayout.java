package io.penstock.pipeline;

/**
 * Where the sections of a slot lie: header, dense features (feature-major), labels, weights; these are copied to the device.
 * Behind them, for the host only: partition, row number and event time of each row. Little-endian.
 *
 * @param capacityRows rows of a full minibatch
 * @param features dense features of a row
 * @param strideRows values from one feature to the next: an odd number of cache lines, since with a power of two the same row
 *     of all features would fall into one cache set
 */
public record SlotLayout(int capacityRows, int features, int strideRows) {
  /** Rows that are real, an int. The rest are padding: zero features, label 0, weight 0. */
  public static final long VALID_ROWS_OFFSET = 0;

  /** Number of the minibatch since the run began, a long. */
  public static final long SEQUENCE_OFFSET = 8;

  /** Sum of the row weights, a double, added up in the order of the rows. */
  public static final long WEIGHT_SUM_OFFSET = 16;

  /** The header's scalars for the step, written by the trainer before the copy: floats from here to the header's end. */
  public static final long STEP_SCALARS_OFFSET = 24;

  public static final long HEADER_BYTES = 64;

  public static SlotLayout of(int capacityRows, int features) {
    if (capacityRows < 1 || features < 1) {
      throw new IllegalArgumentException(
          "slot: rows and features must be at least 1, not " + capacityRows + " and " + features);
    }
    return new SlotLayout(
        capacityRows,
        features,
        (int) (BlockLayout.columnBytes(capacityRows, Float.BYTES) / Float.BYTES));
  }

  /** Byte offset of feature {@code feature}; its value of row r lies 4 r further. */
  public long featureOffset(int feature) {
    return HEADER_BYTES + (long) feature * strideRows * Float.BYTES;
  }

  /** Byte offset of the labels, a float each: the value, or the index of the class. */
  public long labelOffset() {
    return featureOffset(features);
  }

  /** Byte offset of the row weights, a float each. */
  public long weightOffset() {
    return featureOffset(features + 1);
  }

  /** What a device copies: all that lies before this. */
  public long deviceBytes() {
    return featureOffset(features + 2);
  }

  /** Byte offset of {@link PartitionCursor#key()}, a long each. Host only. */
  public long partitionOffset() {
    return deviceBytes();
  }

  /** Byte offset of the row numbers, a long each. Host only. */
  public long rowOffset() {
    return partitionOffset() + rowLongs();
  }

  /** Byte offset of event times (or arrival), nanoseconds since 1970, a long each. Host only. */
  public long timeOffset() {
    return rowOffset() + rowLongs();
  }

  public long byteSize() {
    return timeOffset() + rowLongs();
  }

  private long rowLongs() {
    return BlockLayout.columnBytes(capacityRows, Long.BYTES);
  }
}
