package io.penstock.ingest.codec;

import io.penstock.ingest.codec.ColumnMap.Role;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Rules;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.Rejections.Reason;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the values of a row, given as text, into the columns of a block: one row at a time, at an index that counts only once
 * the whole row is valid.
 */
final class RowWriter {
  /**
   * All memory: a block's own segment would check bounds and liveness at each of the values, which the block's owner vouches
   * for once.
   */
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int QUOTED_TEXT_LIMIT = 60;
  private static final int ANY_CLASS = -1;

  private final ColumnMap map;
  private final BlockSchema schema;
  private final ClassNumbering numbering;
  private final Role[] roles;
  private final long[] offsets;
  private final boolean[] nullable;
  private final Rules[] rules;
  private final byte[][] fills; // none: empty
  private final byte[][] classNames;
  private final byte[][] missing;
  private final long labelOffset;
  private final long rowNumberOffset;
  private final boolean integerClasses;
  private int firstClass = ANY_CLASS; // what numbering has settled on, as far as known here
  private long address;

  /**
   * A writer for rows of {@code map}'s columns.
   *
   * @param missing texts that mean an empty value
   */
  RowWriter(ColumnMap map, BlockLayout layout, ClassNumbering numbering, List<String> missing) {
    this.map = map;
    this.missing =
        missing.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    this.numbering = numbering;
    schema = layout.schema();
    roles = map.roles().toArray(new Role[0]);
    offsets = new long[roles.length];
    nullable = new boolean[roles.length];
    rules = new Rules[roles.length];
    fills = new byte[roles.length][];
    labelOffset = layout.labelOffset();
    rowNumberOffset = layout.rowOffset();
    integerClasses = map.roles().contains(Role.INTEGER_CLASS);
    classNames =
        schema.label().classNames().stream()
            .map(name -> name.getBytes(StandardCharsets.UTF_8))
            .toArray(byte[][]::new);
    for (int i = 0; i < roles.length; i++) {
      int index = map.indices().get(i);
      nullable[i] = index >= 0 && schema.columns().get(index).nullable();
      rules[i] = index >= 0 ? schema.columns().get(index).rules() : Rules.NONE;
      fills[i] = rules[i].fill().getBytes(StandardCharsets.UTF_8);
      offsets[i] =
          switch (roles[i]) {
            case IGNORED -> -1;
            case NUMBER, FLAG, CATEGORY -> layout.columnOffset(index);
            case NUMBER_LABEL, INTEGER_CLASS, NAMED_CLASS -> layout.labelOffset();
            case WEIGHT -> layout.weightOffset();
            case TIME -> layout.timeOffset();
          };
    }
  }

  int columns() {
    return roles.length;
  }

  int classes() {
    return schema.label().classes();
  }

  Role role(int column) {
    return roles[column];
  }

  /** What the schema says of the values of {@code column}. */
  Rules rules(int column) {
    return rules[column];
  }

  /** Where the values of {@code column} begin in a block. */
  long offset(int column) {
    return offsets[column];
  }

  /** The block that rows go to. */
  void use(Block block) {
    address = block.memory().address();
  }

  /** Whether a short integer may mean an empty value, and not itself. */
  boolean integersMayBeMissing() {
    return Arrays.stream(missing).anyMatch(RowWriter::isDigits);
  }

  /** Whether a text that is not empty may mean an empty value, and not itself. */
  boolean textsMayBeMissing() {
    return missing.length > 0;
  }

  private static boolean isDigits(byte[] text) {
    boolean digits = true;
    for (byte c : text) {
      digits &= c >= '0' && c <= '9';
    }
    return digits;
  }

  /**
   * Writes one value of row {@code row}; answers why it cannot be, or null. The text is without its quotes.
   *
   * @param quoted whether it had any: then no text but the empty one is missing
   */
  @Nullable Reason write(int column, int row, byte[] text, int from, int to, boolean quoted) {
    Role role = roles[column];
    if (role == Role.IGNORED) {
      return null;
    }
    if (role == Role.CATEGORY) {
      boolean empty = from == to || (!quoted && isMissing(text, from, to));
      return empty ? writeMissing(column, row) : writeCategory(column, row, text, from, to);
    }
    int start = from;
    while (start < to && isSpace(text[start])) {
      start++;
    }
    int end = to;
    while (end > start && isSpace(text[end - 1])) {
      end--;
    }
    if (start == end || (!quoted && isMissing(text, start, end))) {
      return writeMissing(column, row);
    }
    return switch (role) {
      case NUMBER, NUMBER_LABEL -> writeNumber(column, row, text, start, end);
      case FLAG -> writeFlag(column, row, text, start, end);
      case INTEGER_CLASS -> writeInteger(column, row, text, start, end);
      case NAMED_CLASS -> writeName(column, row, text, from, to, start, end);
      case WEIGHT -> writeWeight(column, row, text, start, end);
      case TIME -> writeTime(column, row, text, start, end);
      case IGNORED, CATEGORY -> throw new AssertionError(role);
    };
  }

  /** Writes that row {@code row} has no value there; answers why it must have one, or null. */
  @Nullable Reason writeMissing(int column, int row) {
    if (roles[column] == Role.IGNORED) {
      return null;
    }
    byte[] fill = fills[column];
    if (fill.length > 0) {
      return write(column, row, fill, 0, fill.length, true);
    }
    if (!nullable[column]) {
      return Reason.MISSING;
    }
    if (roles[column] == Role.CATEGORY) {
      putLong(column, row, 0);
    } else {
      putFloat(column, row, Float.NaN);
    }
    return null;
  }

  /**
   * Makes the row's last value valid, the class that only a whole row may settle the numbering with, and numbers the row.
   *
   * @return why the row is not valid, or null
   */
  @Nullable Reason complete(int row, long number) {
    if (integerClasses) {
      long at = address + labelOffset + (long) row * Float.BYTES;
      int value = (int) MEMORY.get(FLOAT, at);
      int classes = schema.label().classes();
      if (value == 0 || value == classes) {
        int first = value == 0 ? 0 : 1;
        if (firstClass == ANY_CLASS) {
          firstClass = numbering.countsFrom(first) ? first : 1 - first;
        }
        if (firstClass != first) {
          return Reason.LABEL;
        }
        MEMORY.set(FLOAT, at, 0);
      }
    }
    MEMORY.set(LONG, address + rowNumberOffset + (long) row * Long.BYTES, number);
    return null;
  }

  private boolean isMissing(byte[] text, int from, int to) {
    for (byte[] none : missing) {
      if (Arrays.equals(none, 0, none.length, text, from, to)) {
        return true;
      }
    }
    return false;
  }

  private @Nullable Reason writeNumber(int column, int row, byte[] text, int from, int to) {
    float value = Decimals.parse(text, from, to);
    putFloat(column, row, value);
    if (Float.isNaN(value)) {
      return Reason.NUMBER;
    }
    Rules rules = this.rules[column];
    return value < rules.min() || value > rules.max() ? Reason.RANGE : null;
  }

  private @Nullable Reason writeFlag(int column, int row, byte[] text, int from, int to) {
    float value = Decimals.parse(text, from, to);
    if (Float.isNaN(value)) {
      value = isWord("true", text, from, to) ? 1 : isWord("false", text, from, to) ? 0 : -1;
    }
    putFloat(column, row, value + 0f); // no -0
    return value == 0 || value == 1 ? null : Reason.FLAG;
  }

  private @Nullable Reason writeCategory(int column, int row, byte[] text, int from, int to) {
    if (!Utf8.isValid(text, from, to)) {
      return Reason.SYNTAX;
    }
    putLong(column, row, CategoryHash.of(text, from, to));
    return null;
  }

  /** As it is written, 0 to the number of classes: {@link #complete} decides about the two ends. */
  private @Nullable Reason writeInteger(int column, int row, byte[] text, int from, int to) {
    float value = Decimals.parse(text, from, to);
    putFloat(column, row, value + 0f);
    boolean valid = value >= 0 && value <= schema.label().classes() && value == (int) value;
    return valid ? null : Reason.LABEL;
  }

  private @Nullable Reason writeName(
      int column, int row, byte[] text, int from, int to, int trimmedFrom, int trimmedTo) {
    for (int i = 0; i < classNames.length; i++) {
      byte[] name = classNames[i];
      if (Arrays.equals(name, 0, name.length, text, from, to)
          || Arrays.equals(name, 0, name.length, text, trimmedFrom, trimmedTo)) {
        putFloat(column, row, i);
        return null;
      }
    }
    return Reason.LABEL;
  }

  private @Nullable Reason writeWeight(int column, int row, byte[] text, int from, int to) {
    float value = Decimals.parse(text, from, to);
    putFloat(column, row, value + 0f);
    return value >= 0 ? null : Reason.WEIGHT;
  }

  private @Nullable Reason writeTime(int column, int row, byte[] text, int from, int to) {
    long nanos = EventTimes.parse(text, from, to);
    putLong(column, row, nanos);
    return nanos == EventTimes.INVALID ? Reason.TIME : null;
  }

  private void putFloat(int column, int row, float value) {
    MEMORY.set(FLOAT, address + offsets[column] + (long) row * Float.BYTES, value);
  }

  private void putLong(int column, int row, long value) {
    MEMORY.set(LONG, address + offsets[column] + (long) row * Long.BYTES, value);
  }

  /** What is wrong with a value: field, rule, value. */
  String explain(Reason reason, int column, byte[] text, int from, int to) {
    String rule =
        switch (reason) {
          case MISSING ->
              map.indices().get(column) < 0
                  ? "a value is needed"
                  : "a value is needed (or an impute step)";
          case NUMBER -> "must be a finite decimal number in the range of a float";
          case FLAG -> "must be 0 or 1";
          case LABEL -> labelRule();
          case WEIGHT -> "must be a finite number, 0 or more";
          case TIME -> "must be ISO 8601, or seconds or milliseconds since 1970";
          case SYNTAX -> "must be UTF-8";
          case RANGE -> rangeRule(rules[column]);
          case COLUMN_COUNT, TOO_LONG, UNKNOWN -> throw new AssertionError(reason);
        };
    return "%s: %s, not '%s'".formatted(map.names().get(column), rule, excerpt(text, from, to));
  }

  /** Why {@link #complete} refused the row. */
  String explainNumbering() {
    return firstClass == 1
        ? "%s: 0 in a stream whose classes count from 1".formatted(schema.label().field())
        : "%s: %d in a stream whose %<d classes count from 0"
            .formatted(schema.label().field(), schema.label().classes());
  }

  private static String rangeRule(Rules rules) {
    return rules.min() == Float.NEGATIVE_INFINITY
        ? "must be at most %s (max)".formatted(rules.max())
        : rules.max() == Float.POSITIVE_INFINITY
            ? "must be at least %s (min)".formatted(rules.min())
            : "must be %s to %s (min, max)".formatted(rules.min(), rules.max());
  }

  private String labelRule() {
    int classes = schema.label().classes();
    return classNames.length == 0
        ? "must be a class, 0 to %d or 1 to %d".formatted(classes - 1, classes)
        : "must be one of the classes " + String.join(", ", schema.label().classNames());
  }

  static String excerpt(byte[] text, int from, int to) {
    int length = Math.min(to - from, QUOTED_TEXT_LIMIT);
    String shown = new String(text, from, length, StandardCharsets.UTF_8);
    return length < to - from ? shown + "…" : shown;
  }

  /** Whether the text is {@code lowerCase}, in whatever case. */
  private static boolean isWord(String lowerCase, byte[] text, int from, int to) {
    boolean same = to - from == lowerCase.length();
    for (int i = 0; same && i < lowerCase.length(); i++) {
      same = (text[from + i] | 0x20) == lowerCase.charAt(i);
    }
    return same;
  }

  private static boolean isSpace(byte c) {
    return c == ' ' || c == '\t';
  }
}
