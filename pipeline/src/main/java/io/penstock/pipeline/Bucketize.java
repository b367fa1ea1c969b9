package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Replaces a number by the number of its bucket, from 1, which becomes a feature for each bucket: 1 below the first bound, one
 * more for each bound that is not above the value. 0, none of them, for a missing one. Bounds are rounded to floats as values
 * are, so that a value equal to a bound is at it.
 */
final class Bucketize implements ColumnOperator {
  private final float[] bounds;

  Bucketize(List<Double> bounds) {
    this.bounds = new float[bounds.size()];
    for (int i = 0; i < this.bounds.length; i++) {
      this.bounds[i] = bounds.get(i).floatValue();
    }
  }

  @Override
  public Encoding encoding() {
    return Encoding.Indicators.numbered(bounds.length + 1, false);
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setFloat(memory, offset, row, bucket(Values.getFloat(memory, offset, row)));
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    process(memory, offset, rows);
  }

  private int bucket(float x) {
    if (Float.isNaN(x)) {
      return 0;
    }
    // Adding zero makes a zero of its negative, which would be sorted before it.
    int at = Arrays.binarySearch(bounds, x + 0.0f);
    return at >= 0 ? at + 2 : -at;
  }

  @Override
  public void save(State state) {}

  @Override
  public void restore(State state) {}
}
