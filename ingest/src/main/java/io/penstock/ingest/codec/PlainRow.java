package io.penstock.ingest.codec;

import io.penstock.ingest.codec.ColumnMap.Role;
import io.penstock.pipeline.Block;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The fast way through a row: short integers, which go to their column in the same pass that finds their end. Four values of
 * one digit are taken at once. Any other value is {@link RowWriter}'s, one by one; a row with a quote or an error is given up.
 */
final class PlainRow {
  /** Bytes behind the last row that {@link #decode} may look at. */
  static final int LOOK_AHEAD_BYTES = 2 * Long.BYTES;

  private static final MemorySegment MEMORY = RowWriter.MEMORY;
  private static final ValueLayout.OfFloat FLOAT = RowWriter.FLOAT;

  private static final int QUAD = 4;
  private static final long DIGITS = 0x0030_0030_0030_0030L;
  private static final long DIGIT_HIGH = 0x00f0_00f0_00f0_00f0L;

  /** Carries what is no digit into the high half of its byte. */
  private static final long ABOVE_NINE = 0x0006_0006_0006_0006L;

  private static final int MAX_DIGITS = 9; // fits an int
  private static final int ANY_INTEGER = Integer.MAX_VALUE;
  private static final int NO_INTEGER = -1;

  private final RowWriter writer;
  private final byte delimiter;
  private final int lastColumn;
  private final long[] offsets;
  private final int[] largest; // integer that may be stored as it is
  private final long quad; // four zeros and their delimiters

  /** By column, the bits in which four one-digit values equal {@code quad}; 0 where they must not be taken at once. */
  private final long[] quadMasks;

  private long address;

  PlainRow(RowWriter writer, byte delimiter) {
    this.writer = writer;
    this.delimiter = delimiter;
    lastColumn = writer.columns() - 1;
    offsets = new long[writer.columns()];
    largest = new int[writer.columns()];
    quadMasks = new long[writer.columns()];
    quad = DIGITS | (delimiter & 0xffL) * 0x0100_0100_0100_0100L;
    boolean closerLook = writer.integersMayBeMissing();
    for (int i = 0; i <= lastColumn; i++) {
      offsets[i] = writer.offset(i);
      largest[i] = closerLook ? NO_INTEGER : largest(writer, i);
      quadMasks[i] = closerLook ? 0 : quadMask(writer, i);
    }
  }

  private static int largest(RowWriter writer, int column) {
    return switch (writer.role(column)) {
      case NUMBER, NUMBER_LABEL -> writer.rules(column).bounded() ? NO_INTEGER : ANY_INTEGER;
      case FLAG -> 1;
      case INTEGER_CLASS -> writer.classes();
      case IGNORED, CATEGORY, NAMED_CLASS, WEIGHT, TIME -> NO_INTEGER;
    };
  }

  /** Where {@code column} and the next three are numbers or flags, the bits to compare; elsewhere 0, which never fits. */
  private static long quadMask(RowWriter writer, int column) {
    long mask = 0;
    for (int i = 0; i < QUAD; i++) {
      Role role = column + i < writer.columns() - 1 ? writer.role(column + i) : Role.IGNORED;
      if ((role != Role.NUMBER && role != Role.FLAG) || writer.rules(column + i).bounded()) {
        return 0;
      }
      mask |= (role == Role.FLAG ? 0xfffeL : 0xfff0L) << (16 * i);
    }
    return mask;
  }

  void use(Block block) {
    address = block.memory().address();
  }

  /**
   * Decodes the row at {@code from}, which ends before the end of {@code text}.
   *
   * @return index behind its newline, or -1 where the row needs a closer look
   */
  int decode(byte[] text, int from, int row) {
    final long[] offsets = this.offsets;
    final int[] largest = this.largest;
    final long[] quadMasks = this.quadMasks;
    final long quad = this.quad;
    final byte delimiter = this.delimiter;
    final int lastColumn = this.lastColumn;
    final long target = address + (long) row * Float.BYTES;
    int p = from;
    int column = 0;
    while (column < lastColumn) {
      long word = EightBytes.at(text, p);
      if ((word & quadMasks[column]) == quad && ((word + ABOVE_NINE) & DIGIT_HIGH) == DIGITS) {
        MEMORY.set(FLOAT, target + offsets[column], (int) word & 15);
        MEMORY.set(FLOAT, target + offsets[column + 1], (int) (word >>> 16) & 15);
        MEMORY.set(FLOAT, target + offsets[column + 2], (int) (word >>> 32) & 15);
        MEMORY.set(FLOAT, target + offsets[column + 3], (int) (word >>> 48) & 15);
        p += Long.BYTES;
        column += QUAD;
        continue;
      }
      int bits = EightBytes.digitBits(word);
      int value = EightBytes.integer(word, bits);
      if (bits != EightBytes.ALL_BITS
          && bits != 0
          && (byte) (word >>> bits) == delimiter
          && value <= largest[column]) {
        MEMORY.set(FLOAT, target + offsets[column], value);
        p += bits >>> 3;
      } else {
        p = value(column, row, text, p);
        if (p < 0 || text[p] != delimiter) {
          return -1;
        }
      }
      p++;
      column++;
    }
    return last(text, p, row);
  }

  private int last(byte[] text, int from, int row) {
    int p = from;
    int value = 0;
    int digit;
    while ((digit = (text[p] - '0') & 0xff) <= 9) {
      value = value * 10 + digit;
      p++;
    }
    int digits = p - from;
    if (text[p] == '\r') {
      p++;
    }
    if (text[p] == '\n' && digits > 0 && digits <= MAX_DIGITS && value <= largest[lastColumn]) {
      MEMORY.set(FLOAT, address + offsets[lastColumn] + (long) row * Float.BYTES, value);
      return p + 1;
    }
    p = value(lastColumn, row, text, from);
    return p < 0 || text[p] != '\n' ? -1 : p + 1;
  }

  /** Any value without quotes: index of what ends it, or -1 where it has one or is refused. */
  private int value(int column, int row, byte[] text, int from) {
    int p = from;
    while (text[p] != delimiter && text[p] != '\n') {
      if (text[p] == '"') {
        return -1;
      }
      p++;
    }
    int to = text[p] == '\n' && p > from && text[p - 1] == '\r' ? p - 1 : p;
    return writer.write(column, row, text, from, to, false) == null ? p : -1;
  }
}
