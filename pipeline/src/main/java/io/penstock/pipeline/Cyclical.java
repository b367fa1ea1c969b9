package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/** Replaces a number by its place within a period, 0 to 1, which becomes sine and cosine. Missing values (NaN) stay. */
final class Cyclical implements ColumnOperator {
  private final double period;

  Cyclical(double period) {
    this.period = period;
  }

  @Override
  public Encoding encoding() {
    return new Encoding.Circle();
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      double turns = Values.getFloat(memory, offset, row) / period;
      Values.setFloat(memory, offset, row, (float) (turns - Math.floor(turns)));
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    process(memory, offset, rows);
  }

  @Override
  public void save(State state) {}

  @Override
  public void restore(State state) {}
}
