package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Kind;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Moves values down by a number of rows: a row gets the value of the row so many before it, whatever blocks the two are in. The
 * column is filled with the rows' own values before. Rows to be predicted are all the next row.
 */
final class Lag implements ColumnOperator {
  private final boolean wide;

  /** The last values, as bits, the oldest at {@code oldest}. */
  private final long[] held;

  private int oldest;

  /**
   * @param kind of the values
   * @param before bits of the value before there are so many rows
   */
  Lag(int by, Kind kind, long before) {
    wide = kind.bytes() == Long.BYTES;
    held = new long[by];
    Arrays.fill(held, before);
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      long own = get(memory, offset, row);
      set(memory, offset, row, held[oldest]);
      held[oldest] = own;
      oldest = oldest + 1 == held.length ? 0 : oldest + 1;
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      set(memory, offset, row, held[oldest]);
    }
  }

  @Override
  public void follow(MemorySegment memory, long offset, int rows) {
    process(memory, offset, rows);
  }

  private long get(MemorySegment memory, long offset, int row) {
    return wide
        ? Values.getLong(memory, offset, row)
        : Float.floatToRawIntBits(Values.getFloat(memory, offset, row));
  }

  private void set(MemorySegment memory, long offset, int row, long bits) {
    if (wide) {
      Values.setLong(memory, offset, row, bits);
    } else {
      Values.setFloat(memory, offset, row, Float.intBitsToFloat((int) bits));
    }
  }

  @Override
  public void save(State state) {
    state.put("held", held);
    state.put("oldest", oldest);
  }

  @Override
  public void restore(State state) {
    System.arraycopy(state.longs("held"), 0, held, 0, held.length);
    oldest = (int) state.longs("oldest")[0];
  }
}
