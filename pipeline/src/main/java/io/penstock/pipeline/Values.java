package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian values in blocks and slots, unaligned access allowed. */
final class Values {
  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ORDER);

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

  static void fillFloat(MemorySegment memory, long offset, long from, long to, float value) {
    for (long row = from; row < to; row++) {
      setFloat(memory, offset, row, value);
    }
  }

  static void fillLong(MemorySegment memory, long offset, long from, long to, long value) {
    for (long row = from; row < to; row++) {
      setLong(memory, offset, row, value);
    }
  }
}
