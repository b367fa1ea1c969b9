package io.penstock.ingest.codec;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A member of objects or an element of arrays at one place of the rows: a column, the way to some, or nothing that is wanted. */
final class JsonField {
  static final int NO_COLUMN = -1;

  final String path;
  final byte[] name; // UTF-8; empty for elements

  /** Whether the name stands in JSON as it is, so that it may be compared with what comes. */
  final boolean plain;

  // The key, its quotes and its colon, sixteen bytes at once and the rest: which bits of a word
  // count.
  final int keyBytes;
  private final long first;
  private final long firstMask;
  private final long second;
  private final long secondMask;
  private final byte[] rest;

  // What it is, one of these; nothing of it: not wanted.
  int column = NO_COLUMN;
  @Nullable JsonMembers members;
  @Nullable JsonElements elements;

  /** The field whose value it has. */
  @Nullable JsonField standsFor;

  // How it is written where it is a short number: as RowWriter would.
  boolean anyNumber;
  int largestInteger = -1;
  long offset;

  /** The member that came behind it in the last row that had both. */
  @Nullable JsonField next;

  /** The last row that had it. */
  long seenIn;

  private JsonField(String path, byte[] name, boolean plain) {
    this.path = path;
    this.name = name;
    this.plain = plain;
    keyBytes = name.length + 3;
    byte[] key = new byte[Math.max(keyBytes, 2 * Long.BYTES)];
    key[0] = '"';
    System.arraycopy(name, 0, key, 1, name.length);
    key[name.length + 1] = '"';
    key[name.length + 2] = ':';
    first = EightBytes.at(key, 0);
    firstMask = mask(keyBytes);
    second = EightBytes.at(key, Long.BYTES);
    secondMask = mask(keyBytes - Long.BYTES);
    rest =
        Arrays.copyOfRange(
            key, Math.min(keyBytes, 2 * Long.BYTES), Math.max(keyBytes, 2 * Long.BYTES));
  }

  private static long mask(int bytes) {
    return bytes <= 0 ? 0 : bytes >= Long.BYTES ? -1 : (1L << (Byte.SIZE * bytes)) - 1;
  }

  /** A member of objects, by its key in UTF-8. */
  static JsonField member(String path, byte[] key) {
    boolean plain = true;
    for (byte c : key) {
      plain &= c != '"' && c != '\\' && (c < 0 || c >= ' ');
    }
    return new JsonField(path, key, plain);
  }

  /** One without a name. */
  static JsonField element(String path) {
    return new JsonField(path, new byte[0], false);
  }

  boolean isWanted() {
    return column != NO_COLUMN || members != null || elements != null || standsFor != null;
  }

  /** Whether its name, in quotes and with a colon behind it, stands at {@code from}. */
  boolean isAt(byte[] text, int from) {
    long differing =
        ((EightBytes.at(text, from) ^ first) & firstMask)
            | ((EightBytes.at(text, from + Long.BYTES) ^ second) & secondMask);
    return differing == 0 && (keyBytes <= 2 * Long.BYTES || hasRestAt(text, from));
  }

  private boolean hasRestAt(byte[] text, int from) {
    // Up to the last byte it was the same so far, so the row goes on at least so far.
    int p = from + 2 * Long.BYTES;
    int i = 0;
    while (i < rest.length && text[p + i] == rest[i]) {
      i++;
    }
    return i == rest.length;
  }

  /** The members of an object. */
  static final class JsonMembers {
    private static final int MOST_UNWANTED = 1024;
    private static final int LONGEST_UNWANTED_BYTES = 128;

    /** Stands before the first member, and for those that are not known. */
    final JsonField start = element("");

    final JsonField unknown = element("");
    private @Nullable JsonField[] table = new @Nullable JsonField[16];
    private int count;
    private int unwanted;

    /** The member of this name; null where there is none. */
    @Nullable JsonField find(byte[] text, int from, int to) {
      int mask = table.length - 1;
      int i = hash(text, from, to) & mask;
      JsonField field = table[i];
      while (field != null && !Arrays.equals(field.name, 0, field.name.length, text, from, to)) {
        i = (i + 1) & mask;
        field = table[i];
      }
      return field;
    }

    /** Adds one that is not wanted, so that it is known when it comes again; null where there are too many. */
    @Nullable JsonField learn(byte[] text, int from, int to) {
      if (unwanted == MOST_UNWANTED || to - from > LONGEST_UNWANTED_BYTES) {
        return null;
      }
      unwanted++;
      return add(member("", Arrays.copyOfRange(text, from, to)));
    }

    JsonField add(JsonField field) {
      if (++count * 2 > table.length) {
        @Nullable JsonField[] old = table;
        table = new @Nullable JsonField[2 * old.length];
        for (JsonField known : old) {
          if (known != null) {
            place(known);
          }
        }
      }
      place(field);
      return field;
    }

    private void place(JsonField field) {
      int mask = table.length - 1;
      int i = hash(field.name, 0, field.name.length) & mask;
      while (table[i] != null) {
        i = (i + 1) & mask;
      }
      table[i] = field;
    }

    private static int hash(byte[] text, int from, int to) {
      int hash = 0;
      for (int p = from; p < to; p++) {
        hash = hash * 31 + text[p];
      }
      return hash ^ (hash >>> 16);
    }
  }

  /** The elements of an array, by index; null where one is not wanted. */
  static final class JsonElements {
    private @Nullable JsonField[] fields = new @Nullable JsonField[0];

    /** Whether there must be just these. */
    boolean exact;

    int size() {
      return fields.length;
    }

    @Nullable JsonField get(int index) {
      return index < fields.length ? fields[index] : null;
    }

    void put(int index, JsonField field) {
      if (index >= fields.length) {
        fields = Arrays.copyOf(fields, index + 1);
      }
      fields[index] = field;
    }
  }
}
