package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/** Little-endian values in blocks and slots, unaligned access allowed. */
final class Values {
  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ORDER);

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

  private Values() {}

  static float getFloat(MemorySegment memory, long offset, long row) {
    return memory.get(FLOAT, offset + row * Float.BYTES);
  }

  static void setFloat(MemorySegment memory, long offset, long row, float value) {
    memory.set(FLOAT, offset + row * Float.BYTES, value);
  }

  static long getLong(MemorySegment memory, long offset, long row) {
    return memory.get(LONG, offset + row * Long.BYTES);
  }

  static void setLong(MemorySegment memory, long offset, long row, long value) {
    memory.set(LONG, offset + row * Long.BYTES, value);
  }

  /** Copies all rows of one column of a block to another. */
  static void copyColumn(Block block, long from, long to, int valueBytes) {
    MemorySegment.copy(block.memory(), from, block.memory(), to, (long) block.rows() * valueBytes);
  }

  /** Copies {@code count} floats, from row {@code from} of one column to row {@code toRow} of another. */
  static void copyFloats(
      MemorySegment in, long offset, int from, int count, MemorySegment out, long to, int toRow) {
    MemorySegment.copy(in, offset + 4L * from, out, to + 4L * toRow, (long) count * Float.BYTES);
  }

  /** Sets rows {@code from} to {@code to}. */
  static void fillFloat(MemorySegment memory, long offset, int from, int to, float value) {
    FloatVector values = FloatVector.broadcast(FLOATS, value);
    int row = from;
    for (; row + FLOATS.length() <= to; row += FLOATS.length()) {
      values.intoMemorySegment(memory, offset + (long) row * Float.BYTES, ORDER);
    }
    for (; row < to; row++) {
      setFloat(memory, offset, row, value);
    }
  }

  /** Sets rows {@code from} to {@code to}. */
  static void fillLong(MemorySegment memory, long offset, int from, int to, long value) {
    LongVector values = LongVector.broadcast(LONGS, value);
    int row = from;
    for (; row + LONGS.length() <= to; row += LONGS.length()) {
      values.intoMemorySegment(memory, offset + (long) row * Long.BYTES, ORDER);
    }
    for (; row < to; row++) {
      setLong(memory, offset, row, value);
    }
  }
}
