package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/** {@code sign(x) ln(1 + |x|)}, by the logarithm that is the same on every machine. Missing values (NaN) stay. */
final class Log1p implements ColumnOperator {

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      float x = Values.getFloat(memory, offset, row);
      double logarithm = StrictMath.log1p(Math.abs((double) x));
      Values.setFloat(memory, offset, row, (float) Math.copySign(logarithm, x));
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
