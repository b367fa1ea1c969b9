package io.penstock.pipeline;

import java.util.List;

/**
 * What the rows of a stream hold, as decoders write it and operators read it.
 *
 * @param columns the fields to learn from, in the order of the features
 * @param label what is to be predicted
 * @param weightField name of the field with row weights, or empty: every row weighs 1
 * @param timeField name of the field with event times, or empty: the time of arrival counts
 */
public record BlockSchema(List<Column> columns, Label label, String weightField, String timeField) {

  /** How a column's values are kept. */
  public enum Kind {
    /** A float; a missing value is NaN. */
    NUMBER(4),
    /** A float that is 0 or 1. */
    FLAG(4),
    /** A 64-bit hash of the text ({@link CategoryHash}); after {@code oneHot}, the category's index or -1. 0: missing. */
    CATEGORY(8);

    private final int bytes;

    Kind(int bytes) {
      this.bytes = bytes;
    }

    /** Bytes a value. */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * One field to learn from.
   *
   * @param nullable whether an empty value is kept as missing; otherwise its row is rejected
   * @param rules what else its values must be
   */
  public record Column(String name, Kind kind, boolean nullable, Rules rules) {
    /** Without rules. */
    public Column(String name, Kind kind, boolean nullable) {
      this(name, kind, nullable, Rules.NONE);
    }
  }

  /**
   * What the schema says of a column's values beside their kind.
   *
   * @param vector the field whose element it is; empty: it is a field itself
   * @param min a row whose number is smaller is rejected
   * @param max a row whose number is larger is rejected
   * @param fill text that is read in place of an empty value; empty: none
   */
  public record Rules(String vector, float min, float max, String fill) {
    /** For whatever its kind allows. */
    public static final Rules NONE =
        new Rules("", Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, "");

    /** Whether a number may be out of range. */
    public boolean bounded() {
      return min != Float.NEGATIVE_INFINITY || max != Float.POSITIVE_INFINITY;
    }
  }

  /**
   * The field to predict, kept as a float: the value itself or the index of its class.
   *
   * @param classes number of classes; 0 for a number
   * @param classNames their texts in the order of their indices; empty where the classes are the integers 0 to
   *     {@code classes - 1} or 1 to {@code classes} (of which the last is index 0)
   */
  public record Label(String field, int classes, List<String> classNames) {
    public Label {
      classNames = List.copyOf(classNames);
    }

    /** Whether this is a class and not a number. */
    public boolean isClass() {
      return classes > 0;
    }
  }

  public BlockSchema {
    columns = List.copyOf(columns);
    if (columns.isEmpty()) {
      throw new IllegalArgumentException("schema: no field to learn from; name at least one");
    }
  }

  public boolean weighted() {
    return !weightField.isEmpty();
  }

  public boolean timed() {
    return !timeField.isEmpty();
  }
}
