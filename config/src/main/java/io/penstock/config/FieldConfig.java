package io.penstock.config;

import io.penstock.config.SchemaConfig.FieldType;
import org.jspecify.annotations.Nullable;

/**
 * A field to learn from. Its type alone may stand for it: {@code age: number} is {@code age: { type: number }}.
 *
 * @param type what its text is read as
 * @param size of a vector: how many numbers it has
 * @param min a row whose number is smaller is rejected; for numbers and vectors
 * @param max a row whose number is larger is rejected; for numbers and vectors
 * @param missing what becomes of a row without a value: {@code auto} rejects it unless a step fills such values in, {@code
 *     reject} rejects it whatever the steps do
 * @param fill what stands in for a missing value, before any step; left out: nothing does
 */
public record FieldConfig(
    @Key(alone = true) FieldType type,
    @Nullable Integer size,
    @Nullable Double min,
    @Nullable Double max,
    @Key(byDefault = "auto") Missing missing,
    @Nullable String fill) {
  private static final int MAX_SIZE = 65_536;

  /** Checks that the rules are some for this type. */
  public FieldConfig {
    boolean vector = type == FieldType.VECTOR;
    if (vector && size == null) {
      throw new InvalidSetting("size", "is required for a vector: how many numbers it has");
    }
    if (size != null && (!vector || size < 1 || size > MAX_SIZE)) {
      throw new InvalidSetting(
          "size", "must be 1 to %d, for a vector alone, not %d".formatted(MAX_SIZE, size));
    }
    boolean numbers = vector || type == FieldType.NUMBER;
    if (!numbers && (min != null || max != null)) {
      throw new InvalidSetting(
          min != null ? "min" : "max", "must be left out for what is no number or vector");
    }
    if (min != null && max != null && min > max) {
      throw new InvalidSetting("max", "must be at least min, %s, not %s".formatted(min, max));
    }
    if (fill != null) {
      checkFill(type, numbers, min, max, fill);
      if (missing == Missing.REJECT) {
        throw new InvalidSetting("fill", "must be left out where missing is reject");
      }
    }
  }

  private static void checkFill(
      FieldType type, boolean numbers, @Nullable Double min, @Nullable Double max, String fill) {
    if (type == FieldType.FLAG && !fill.matches("0|1|true|false")) {
      throw new InvalidSetting("fill", "must be 0, 1, true or false, not \"" + fill + '"');
    }
    if (type == FieldType.CATEGORY && fill.isEmpty()) {
      throw new InvalidSetting("fill", "must be a text, not be empty");
    }
    Number number = numbers ? Scalars.number(double.class, Key.Unit.PLAIN, fill) : null;
    boolean inRange =
        number != null
            && !(min != null && number.doubleValue() < min)
            && !(max != null && number.doubleValue() > max);
    if (numbers && !inRange) {
      throw new InvalidSetting("fill", "must be a number within min and max, not " + fill);
    }
  }

  /** A field of a type, without rules of its own. */
  public static FieldConfig of(FieldType type) {
    return new FieldConfig(type, null, null, null, Missing.AUTO, null);
  }

  /** What becomes of rows without a value. */
  public enum Missing {
    /** Rejected, unless a step fills in what is missing. */
    AUTO,
    /** Rejected. */
    REJECT
  }
}
