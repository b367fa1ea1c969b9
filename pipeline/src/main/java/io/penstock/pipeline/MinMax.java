package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;

/**
 * {@code (x - min) / (max - min)} by the least and the greatest value so far; 0 where they are equal, and 0 or 1 for what lies
 * beyond them. Missing values (NaN) stay and count for nothing.
 */
final class MinMax implements ColumnOperator {
  private final int updateEvery;
  private long seen;

  // Of all values so far.
  private float least = Float.POSITIVE_INFINITY;
  private float greatest = Float.NEGATIVE_INFINITY;

  // What rows are rewritten by.
  private float min = least;
  private float max = greatest;

  MinMax(int updateEvery) {
    this.updateEvery = updateEvery;
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      float x = Values.getFloat(memory, offset, row);
      if (!Float.isNaN(x)) {
        least = Math.min(least, x);
        greatest = Math.max(greatest, x);
      }
      seen++;
      if (seen <= updateEvery || updateEvery == 1) {
        advance();
      }
      Values.setFloat(memory, offset, row, rewrite(x));
      if (seen % updateEvery == 0) {
        advance();
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setFloat(memory, offset, row, rewrite(Values.getFloat(memory, offset, row)));
    }
  }

  private void advance() {
    min = least;
    max = greatest;
  }

  /** In doubles, in which no difference of floats is infinite. */
  private float rewrite(float x) {
    if (Float.isNaN(x) || !(max > min)) {
      return Float.isNaN(x) ? x : 0;
    }
    double share = ((double) x - min) / ((double) max - min);
    return (float) Math.clamp(share, 0, 1);
  }

  @Override
  public void save(State state) {
    state.put("seen", seen);
    state.put("range", least, greatest, min, max);
  }

  @Override
  public void restore(State state) {
    seen = state.longs("seen")[0];
    float[] range = state.floats("range");
    least = range[0];
    greatest = range[1];
    min = range[2];
    max = range[3];
  }
}
