package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/** To the range {@code min} to {@code max}. Missing values (NaN) stay. */
final class Clip implements ColumnOperator {
  private final float min;
  private final float max;

  Clip(double min, double max) {
    this.min = (float) min;
    this.max = (float) max;
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      float x = Values.getFloat(memory, offset, row);
      Values.setFloat(memory, offset, row, Math.min(Math.max(x, min), max));
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
