package io.penstock.pipeline;

/** Takes rows that cannot be decoded or break the schema. Thread-safe; called by decoders, rarely. */
public interface Rejections {
  /** The detail of a row that its sender did not finish: what there is of it may look whole. */
  String TORN = "connection lost in mid-row";

  /** Why a row was rejected: few, so that they can be a meter's tag. */
  enum Reason {
    /** Not as many values as the header or the schema has. */
    COLUMN_COUNT,
    /** Not a number, out of the range of a float, or not finite. */
    NUMBER,
    /** Neither 0 nor 1. */
    FLAG,
    /** An empty value in a field that no operator imputes. */
    MISSING,
    /** A label that is none of the classes. */
    LABEL,
    /** A negative or non-finite weight. */
    WEIGHT,
    /** Not a time. */
    TIME,
    /** Longer than a row may be. */
    TOO_LONG,
    /** Not UTF-8, a quote that is never closed, a stray quote, not JSON. */
    SYNTAX,
    /** A field that the schema does not name, where these are not ignored. */
    UNKNOWN,
    /** A number below its field's {@code min} or above its {@code max}. */
    RANGE
  }

  /**
   * Takes one row.
   *
   * @param cursor the row's partition
   * @param row its number there
   * @param detail what is wrong: field, rule and value
   * @param raw the row as it came; copied where kept. A row too long to hold is cut
   */
  void reject(
      PartitionCursor cursor, long row, Reason reason, String detail, byte[] raw, int from, int to);

  /** Rows rejected so far. */
  long count();
}
