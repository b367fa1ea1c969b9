package io.penstock.pipeline;

import io.penstock.config.FeatureConfig.Imputation;
import java.lang.foreign.MemorySegment;

/** Puts the running mean, the last value or a constant where a value is missing (NaN). Before the first value: 0. */
final class Impute implements ColumnOperator {
  private final Imputation with;
  private final int updateEvery;
  private final Moments moments = new Moments();
  private long seen;
  private float standIn;

  Impute(Imputation with, double value, int updateEvery) {
    this.with = with;
    this.updateEvery = updateEvery;
    standIn = with == Imputation.CONSTANT ? (float) value : 0;
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      float x = Values.getFloat(memory, offset, row);
      boolean missing = Float.isNaN(x);
      if (!missing) {
        observe(x);
      }
      seen++;
      if (seen <= updateEvery) {
        advance();
      }
      if (missing) {
        Values.setFloat(memory, offset, row, standIn);
      }
      if (seen % updateEvery == 0) {
        advance();
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      if (Float.isNaN(Values.getFloat(memory, offset, row))) {
        Values.setFloat(memory, offset, row, standIn);
      }
    }
  }

  private void observe(float x) {
    switch (with) {
      case MEAN -> moments.add(x);
      case LAST -> standIn = x;
      case CONSTANT -> {}
    }
  }

  private void advance() {
    if (with == Imputation.MEAN) {
      standIn = (float) moments.mean();
    }
  }

  @Override
  public void save(State state) {
    moments.save(state);
    state.put("seen", seen);
    state.put("standIn", standIn);
  }

  @Override
  public void restore(State state) {
    moments.restore(state);
    seen = state.longs("seen")[0];
    standIn = state.floats("standIn")[0];
  }
}
