package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig.UnknownFields;
import io.penstock.ingest.codec.ColumnMap.Role;
import io.penstock.ingest.codec.JsonField.JsonElements;
import io.penstock.ingest.codec.JsonField.JsonMembers;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.Rejections.Reason;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way through a row of JSON, in one pass. Objects of one producer mostly have the same keys in the same order, so the key
 * that came next in the last row is compared first, eight bytes at a time; only where another one comes is it looked up. Short
 * numbers go to their column in the pass that finds their end, any other value by {@link RowWriter}.
 *
 * <p>Methods that take an index answer one as {@link JsonText}'s do; where a value is JSON but will not do, {@code reason} says so.
 */
final class JsonRow {
  private static final MemorySegment MEMORY = RowWriter.MEMORY;
  private static final ValueLayout.OfFloat FLOAT = RowWriter.FLOAT;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int EXCERPT_BYTES = 60;
  private static final long EIGHT_DIGITS = 100_000_000;
  private static final int[] POWERS = {1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000};

  private final RowWriter writer;
  private final boolean ignoresUnknown;
  private final JsonMembers root = new JsonMembers();
  private final JsonField[] columns;
  private byte[] unescaped = new byte[256];
  private long address;

  // Of the row at hand:
  private long number; // any that no other row has
  private int found;

  // Of the last one that will not do:
  private @Nullable Reason reason; // null: it is not JSON
  private byte[] wrongText = unescaped;
  private int wrongFrom;
  private int wrongTo;
  private int wrongAt; // from the beginning of the row
  private int wrongColumn;
  private String rule = "";

  private JsonRow(ColumnMap map, RowWriter writer, UnknownFields unknown) {
    this.writer = writer;
    ignoresUnknown = unknown == UnknownFields.IGNORE;
    columns = new JsonField[map.names().size()];
  }

  /** For rows whose fields lie at the paths that the columns are named by. */
  static JsonRow ofPaths(ColumnMap map, RowWriter writer, UnknownFields unknown) {
    JsonRow row = new JsonRow(map, writer, unknown);
    for (int i = 0; i < row.columns.length; i++) {
      row.define(row.field(JsonPath.parse(map.names().get(i))), i);
      row.defineVector(i);
    }
    return row;
  }

  /**
   * For rows whose fields are members by the names of the columns; where a name reads as a path, the field may lie there, too. Other
   * members are ignored.
   */
  static JsonRow ofNames(ColumnMap map, RowWriter writer) {
    JsonRow row = new JsonRow(map, writer, UnknownFields.IGNORE);
    List<String> names = map.names();
    for (int i = 0; i < names.size(); i++) {
      byte[] key = names.get(i).getBytes(StandardCharsets.UTF_8);
      row.define(row.root.add(JsonField.member(names.get(i), key)), i);
    }
    for (int i = 0; i < names.size(); i++) {
      row.alsoAtItsPath(names.get(i), i);
    }
    return row;
  }

  private void alsoAtItsPath(String name, int column) {
    try {
      JsonField field = field(JsonPath.parse(name));
      if (field != columns[column]) {
        claim(field);
        field.standsFor = columns[column];
      }
      defineVector(column);
    } catch (SourceException e) {
      // It is no path, or another field is in the way: it comes by its name alone.
    }
  }

  /** The field at a path; it and those on the way are made where they are not there. */
  private JsonField field(JsonPath path) {
    List<Object> steps = path.steps();
    JsonMembers members = root;
    JsonElements elements = new JsonElements();
    JsonField field = members.start;
    for (int i = 0; i < steps.size(); i++) {
      String at = new JsonPath(steps.subList(0, i + 1)).toString();
      if (steps.get(i) instanceof Integer index) {
        elements = i == 0 ? elements : elements(field);
        JsonField known = elements.get(index);
        field = known == null ? JsonField.element(at) : known;
        elements.put(index, field);
      } else {
        members = i == 0 ? root : members(field);
        byte[] key = ((String) steps.get(i)).getBytes(StandardCharsets.UTF_8);
        JsonField known = members.find(key, 0, key.length);
        field = known == null ? members.add(JsonField.member(at, key)) : known;
      }
    }
    return field;
  }

  private static JsonMembers members(JsonField field) {
    JsonMembers members = field.members;
    if (members == null) {
      claim(field);
      members = new JsonMembers();
      field.members = members;
    }
    return members;
  }

  private static JsonElements elements(JsonField field) {
    JsonElements elements = field.elements;
    if (elements == null) {
      claim(field);
      elements = new JsonElements();
      field.elements = elements;
    }
    return elements;
  }

  private void define(JsonField field, int column) {
    claim(field);
    columns[column] = field;
    Role role = writer.role(column);
    if (role == Role.IGNORED) {
      return; // it is known, and whatever it holds is passed over
    }
    field.column = column;
    if (writer.textsMayBeMissing()) {
      return; // numbers among them
    }
    field.offset = writer.offset(column);
    field.anyNumber =
        (role == Role.NUMBER || role == Role.NUMBER_LABEL) && !writer.rules(column).bounded();
    field.largestInteger =
        switch (role) {
          case FLAG -> 1;
          case INTEGER_CLASS -> writer.classes();
          case NUMBER, NUMBER_LABEL, IGNORED, CATEGORY, NAMED_CLASS, WEIGHT, TIME -> -1;
        };
  }

  private void defineVector(int column) {
    String vector = writer.rules(column).vector();
    if (!vector.isEmpty()) {
      elements(field(JsonPath.parse(vector))).exact = true;
    }
  }

  /** Checks that a field has no use yet. */
  private static void claim(JsonField field) {
    if (field.isWanted()) {
      throw new SourceException(
          "schema: '%s' is named as a value and as something that has fields of its own, or as an object and as an array; it is one of them"
              .formatted(field.path));
    }
  }

  void use(Block block) {
    address = block.memory().address();
  }

  /**
   * Decodes the row at {@code from}, which ends in a newline.
   *
   * @return index behind its newline, or a negative number where it is rejected
   */
  int decode(byte[] text, int from, int row) {
    number++;
    found = 0;
    reason = null;
    int p = JsonText.space(text, from);
    p = text[p] == '{' ? object(root, text, p + 1, row) : ~p;
    if (p >= 0) {
      p = text[p] == '\n' ? p : JsonText.space(text, p);
      p = text[p] == '\n' ? p : ~p;
    }
    if (p < 0) {
      wrongAt = ~p - from;
      if (reason == null) {
        notJson(text, ~p);
      }
      return p;
    }
    if (found < columns.length) {
      int missing = writeMissing(row);
      if (missing < 0) {
        return missing;
      }
    }
    return p + 1;
  }

  private int object(JsonMembers members, byte[] text, int from, int row) {
    final long number = this.number;
    final long target = address + (long) row * Float.BYTES;
    JsonField before = members.start;
    int p = JsonText.space(text, from);
    if (text[p] == '}') {
      return p + 1;
    }
    while (true) {
      JsonField field = before.next;
      if (field != null && field.isAt(text, p)) {
        p += field.keyBytes;
        p = text[p] > ' ' ? p : JsonText.space(text, p);
      } else {
        int end = text[p] == '"' ? JsonText.string(text, p + 1) : ~p;
        if (end < 0) {
          return end;
        }
        field = find(members, text, p + 1, end - 1);
        if (!ignoresUnknown && field == members.unknown) {
          return refuse(Reason.UNKNOWN, "its fields must be in the schema", text, p + 1, end - 1);
        }
        before.next = field.plain ? field : before.next;
        p = JsonText.colon(text, end);
        if (p < 0) {
          return p;
        }
      }
      int end = -1;
      if (field.anyNumber && field.seenIn != number) {
        end = shortNumber(text, p, target + field.offset);
      }
      if (end >= 0) {
        field.seenIn = number;
        found++;
        p = end;
      } else {
        p = anyField(field, text, p, row);
        if (p < 0) {
          return p;
        }
      }
      if (text[p] != ',') {
        p = JsonText.space(text, p);
        if (text[p] != ',') {
          return text[p] == '}' ? p + 1 : ~p;
        }
      }
      p++;
      p = text[p] > ' ' ? p : JsonText.space(text, p);
      before = field;
    }
  }

  /** The member of this name; {@code unknown} where there is none. */
  private JsonField find(JsonMembers members, byte[] text, int from, int to) {
    byte[] name = text;
    int start = from;
    int end = to;
    if (isEscaped(text, from, to)) {
      end = unescape(text, from, to);
      start = 0;
      name = unescaped;
      if (end < 0) {
        return members.unknown;
      }
    }
    JsonField known = members.find(name, start, end);
    if (known == null && ignoresUnknown) {
      known = members.learn(name, start, end);
    }
    return known == null ? members.unknown : known;
  }

  private static boolean isEscaped(byte[] text, int from, int to) {
    return EightBytes.plainEnd(text, from) < to;
  }

  /** As {@link JsonText#unescape}, into {@code unescaped}. */
  private int unescape(byte[] text, int from, int to) {
    if (unescaped.length < to - from) {
      unescaped = Arrays.copyOf(unescaped, Math.max(to - from, 2 * unescaped.length));
    }
    return JsonText.unescape(text, from, to, unescaped);
  }

  private int array(JsonField field, JsonElements elements, byte[] text, int from, int row) {
    int size = 0;
    int p = JsonText.space(text, from);
    if (text[p] == ']') {
      p++;
    } else {
      boolean more = true;
      while (more) {
        JsonField element = elements.get(size++);
        if (element != null) {
          p = anyField(element, text, p, row);
        } else if (ignoresUnknown || elements.exact) {
          p = JsonText.value(text, p, 1);
        } else {
          return refuse(
              Reason.UNKNOWN, field.path + ": its elements must be in the schema", text, p, p);
        }
        if (p < 0) {
          return p;
        }
        p = JsonText.space(text, p);
        more = text[p] == ',';
        if (!more && text[p] != ']') {
          return ~p;
        }
        p++;
        p = more ? JsonText.space(text, p) : p;
      }
    }
    if (elements.exact && size != elements.size()) {
      String rule =
          "%s: must have %d elements, it has %d".formatted(field.path, elements.size(), size);
      return refuse(Reason.COLUMN_COUNT, rule, text, p, p);
    }
    return p;
  }

  private int anyField(JsonField field, byte[] text, int from, int row) {
    if (!field.isWanted()) {
      return JsonText.value(text, from, 1);
    }
    if (field.seenIn == number) {
      return refuse(Reason.SYNTAX, field.path + ": must be there once", text, from, from);
    }
    field.seenIn = number;
    if (field.column == JsonField.NO_COLUMN) {
      return container(field, text, from, row);
    }
    found++;
    int p = -1;
    if (field.anyNumber) {
      p = shortNumber(text, from, address + field.offset + (long) row * Float.BYTES);
    } else if (field.largestInteger >= 0) {
      p = shortInteger(field, text, from, row);
    }
    return p < 0 ? anyValue(field.column, text, from, row) : p;
  }

  private int container(JsonField field, byte[] text, int from, int row) {
    if (field.standsFor != null) {
      return anyField(field.standsFor, text, from, row);
    }
    JsonMembers members = field.members;
    JsonElements elements = field.elements;
    if (members != null && text[from] == '{') {
      return object(members, text, from + 1, row);
    }
    if (elements != null && text[from] == '[') {
      return array(field, elements, text, from + 1, row);
    }
    if (text[from] == 'n') {
      return JsonText.literal(text, from); // nothing below it is there
    }
    int end = JsonText.value(text, from, 1);
    String rule = field.path + (members == null ? ": must be an array" : ": must be an object");
    return end < 0 ? end : refuse(Reason.SYNTAX, rule, text, from, end);
  }

  /**
   * Writes a number of up to six digits before the point and 18 in all; -1 where it is none. But for a digit by itself there is no
   * branch on more than its form, which a column's values mostly share: signs and lengths cannot be foreseen.
   */
  private static int shortNumber(byte[] text, int from, long target) {
    long word = EightBytes.at(text, from);
    int digit = ((int) word & 0xff) ^ '0';
    if ((byte) (word >>> Byte.SIZE) == ','
        && digit <= 9) { // in this order: it says less of the sign
      MEMORY.set(FLOAT, target, digit);
      return from + 1;
    }
    int negative = (int) ((((word & 0xff) ^ '-') - 1) >>> 63); // 1 or 0
    word >>>= negative << 3;
    int bits = EightBytes.digitBits(word);
    byte behind = (byte) (word >>> bits);
    boolean zerosFirst = (byte) word == '0' && bits > Byte.SIZE;
    // Behind a sign and seven digits there is nothing in the word but what the shift has left.
    if (bits == 0 || bits == EightBytes.ALL_BITS || behind == 0 || zerosFirst) {
      return -1;
    }
    int whole = EightBytes.integer(word, bits);
    int end = from + negative + (bits >>> 3);
    if (behind == '.') {
      return shortFraction(text, from + negative, end, whole, negative, target);
    }
    if ((behind | 0x20) == 'e') {
      return -1;
    }
    put(target, whole, negative);
    return end;
  }

  private static int shortFraction(
      byte[] text, int start, int point, int whole, int negative, long target) {
    long word = EightBytes.at(text, point + 1);
    int bits = EightBytes.digitBits(word);
    if (bits == EightBytes.ALL_BITS) {
      return longFraction(text, start, point, whole, negative, target);
    }
    if (bits == 0 || ((byte) (word >>> bits) | 0x20) == 'e') {
      return -1;
    }
    int decimals = bits >>> 3;
    long mantissa = (long) whole * POWERS[decimals] + EightBytes.integer(word, bits);
    int end = point + 1 + decimals;
    put(target, Decimals.nearest(mantissa, -decimals, text, start, end), negative);
    return end;
  }

  /** Eight digits or more behind the point. */
  private static int longFraction(
      byte[] text, int start, int point, int whole, int negative, long target) {
    int end = point + 1;
    long mantissa = whole;
    long word = EightBytes.at(text, end);
    int bits = EightBytes.ALL_BITS;
    while (bits == EightBytes.ALL_BITS && end <= point + 1 + Long.BYTES) {
      mantissa = mantissa * EIGHT_DIGITS + EightBytes.integer(word, bits);
      end += Long.BYTES;
      word = EightBytes.at(text, end);
      bits = EightBytes.digitBits(word);
    }
    if (bits == EightBytes.ALL_BITS || ((byte) (word >>> bits) | 0x20) == 'e') {
      return -1;
    }
    int rest = bits >>> 3;
    mantissa = bits == 0 ? mantissa : mantissa * POWERS[rest] + EightBytes.integer(word, bits);
    end += rest;
    int decimals = end - point - 1;
    if (decimals + (whole == 0 ? 0 : point - start) > Decimals.MAX_DIGITS) {
      return -1;
    }
    put(target, Decimals.nearest(mantissa, -decimals, text, start, end), negative);
    return end;
  }

  private static void put(long target, float magnitude, int negative) {
    MEMORY.set(INT, target, Float.floatToRawIntBits(magnitude) ^ (negative << 31));
  }

  /** Writes a number of up to seven digits that may be stored as it is; -1 where it is none. */
  private int shortInteger(JsonField field, byte[] text, int from, int row) {
    long word = EightBytes.at(text, from);
    int bits = EightBytes.digitBits(word);
    if (bits == 0 || bits == EightBytes.ALL_BITS || ((byte) word == '0' && bits > Byte.SIZE)) {
      return -1;
    }
    int value = bits == Byte.SIZE ? (int) word & 15 : EightBytes.integer(word, bits);
    byte behind = (byte) (word >>> bits);
    if (value > field.largestInteger || behind == '.' || (behind | 0x20) == 'e') {
      return -1;
    }
    MEMORY.set(FLOAT, address + field.offset + (long) row * Float.BYTES, value);
    return from + (bits >>> 3);
  }

  private int anyValue(int column, byte[] text, int from, int row) {
    if (text[from] == '"') {
      return string(column, text, from + 1, row);
    }
    int end =
        switch (text[from]) {
          case '{', '[' -> JsonText.value(text, from, 1);
          case 't', 'f', 'n' -> JsonText.literal(text, from);
          default -> JsonText.number(text, from);
        };
    if (end < 0) {
      return end;
    }
    return switch (text[from]) {
      case '{', '[' -> {
        String rule = columns[column].path + ": must be a value, not an object or an array";
        yield refuse(Reason.SYNTAX, rule, text, from, end);
      }
      case 'n' -> check(writer.writeMissing(column, row), column, text, from, end) ? end : ~from;
      default -> write(column, text, from, end, row) ? end : ~from;
    };
  }

  /** A string, from behind its quote. Texts for missing values are meant in quotes, too: only rows to be predicted have such. */
  private int string(int column, byte[] text, int from, int row) {
    int to = EightBytes.plainEnd(text, from);
    if (text[to] == '"') {
      return write(column, text, from, to, row) ? to + 1 : ~from;
    }
    int end = JsonText.string(text, to);
    if (end < 0) {
      return end;
    }
    int length = unescape(text, from, end - 1);
    boolean written =
        length < 0
            ? check(Reason.SYNTAX, column, text, from, end - 1)
            : write(column, unescaped, 0, length, row);
    return written ? end : ~from;
  }

  private boolean write(int column, byte[] text, int from, int to, int row) {
    return check(writer.write(column, row, text, from, to, false), column, text, from, to);
  }

  // What is wrong

  private boolean check(@Nullable Reason reason, int column, byte[] text, int from, int to) {
    if (reason != null) {
      refuse(reason, "", text, from, to);
      wrongColumn = column;
    }
    return reason == null;
  }

  private int refuse(Reason reason, String rule, byte[] text, int from, int to) {
    this.reason = reason;
    this.rule = rule;
    wrongColumn = JsonField.NO_COLUMN;
    wrongText = text;
    wrongFrom = from;
    wrongTo = to;
    return ~from;
  }

  private void notJson(byte[] text, int at) {
    int end = at;
    while (end < at + EXCERPT_BYTES && text[end] != '\n') {
      end++;
    }
    refuse(Reason.SYNTAX, "must be a JSON object", text, at, end);
  }

  private int writeMissing(int row) {
    for (int i = 0; i < columns.length; i++) {
      if (columns[i].seenIn != number && !check(writer.writeMissing(i, row), i, unescaped, 0, 0)) {
        return -1;
      }
    }
    return 0;
  }

  /** Why the last row was rejected. */
  Reason reason() {
    return reason == null ? Reason.SYNTAX : reason;
  }

  /** What the last row was rejected for. */
  String detail() {
    return wrongColumn == JsonField.NO_COLUMN
        ? "byte %d: %s, not '%s'"
            .formatted(wrongAt, rule, RowWriter.excerpt(wrongText, wrongFrom, wrongTo))
        : writer.explain(reason(), wrongColumn, wrongText, wrongFrom, wrongTo);
  }
}
