package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code (x - mean) / deviation} by running mean and population deviation; 0 where the deviation is 0. Missing values (NaN)
 * stay and count for nothing.
 *
 * <p>Within a chunk of {@code updateEvery} rows the sums of differences from the mean at its beginning are kept in 16 lanes by
 * row number, floats, and added up in the order of the lanes when the chunk is full (Chan's merge). So neither blocks nor the
 * width of vectors change a bit. The mean is subtracted in two parts, a float and what the float lacks of it: one float would
 * shift features whose mean is large beside their deviation.
 */
final class Standardize implements ColumnOperator {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = 16;

  private final int updateEvery;
  private final boolean nullable;
  private final Moments moments = new Moments();

  /** Rows seen, missing ones included. */
  private long seen;

  // The open chunk.
  private final float[] sums = new float[LANES];
  private final float[] squares = new float[LANES];
  private long chunkCount;

  // What rows are rewritten by.
  private float mean;
  private float meanRest;
  private float scale;

  /**
   * @param nullable whether values may be missing
   */
  Standardize(int updateEvery, boolean nullable) {
    if (updateEvery < 1 || (updateEvery > 1 && updateEvery % LANES != 0)) {
      throw new IllegalArgumentException(
          "standardize: updateEvery must be 1 or a multiple of 16, not " + updateEvery);
    }
    this.updateEvery = updateEvery;
    this.nullable = nullable;
  }

  @Override
  public void process(MemorySegment memory, long offset, int rows) {
    int row = 0;
    while (row < rows) {
      if (updateEvery == 1 || seen < updateEvery) {
        rowByRow(memory, offset, row++);
      } else {
        int end = (int) Math.min(rows, row + updateEvery - seen % updateEvery);
        chunk(memory, offset, row, end);
        row = end;
      }
    }
  }

  @Override
  public void apply(MemorySegment memory, long offset, int rows) {
    for (int row = 0; row < rows; row++) {
      Values.setFloat(memory, offset, row, rewrite(Values.getFloat(memory, offset, row)));
    }
  }

  private void rowByRow(MemorySegment memory, long offset, int row) {
    float x = Values.getFloat(memory, offset, row);
    seen++;
    if (!Float.isNaN(x)) {
      moments.add(x);
      fit();
    }
    Values.setFloat(memory, offset, row, rewrite(x));
  }

  /** Rows {@code from} to {@code to}, all of one chunk. */
  private void chunk(MemorySegment memory, long offset, int from, int to) {
    int firstLane = (int) (seen % LANES);
    int row = from;
    if (firstLane > 0) {
      row = Math.min(to, from + LANES - firstLane);
      partOfGroup(memory, offset, from, row, firstLane);
    }
    if (nullable) {
      for (; row + LANES <= to; row += LANES) {
        partOfGroup(memory, offset, row, row + LANES, 0);
      }
    } else {
      row = wholeGroups(memory, offset, row, to);
    }
    if (row < to) {
      partOfGroup(memory, offset, row, to, 0);
    }
    seen += to - from;
    if (seen % updateEvery == 0) {
      closeChunk();
    }
  }

  /** Whole groups of 16 rows, none missing, from a row of lane 0 on; returns the first row that is left. */
  private int wholeGroups(MemorySegment memory, long offset, int from, int to) {
    float m = mean;
    float rest = meanRest;
    float s = scale;
    float[] sum = sums;
    float[] square = squares;
    int row = from;
    for (; row + LANES <= to; row += LANES) {
      for (int lane = 0; lane < LANES; lane += SPECIES.length()) {
        long at = offset + (long) (row + lane) * Float.BYTES;
        FloatVector x = FloatVector.fromMemorySegment(SPECIES, memory, at, Values.ORDER);
        FloatVector d = x.sub(m);
        FloatVector.fromArray(SPECIES, sum, lane).add(d).intoArray(sum, lane);
        d.fma(d, FloatVector.fromArray(SPECIES, square, lane)).intoArray(square, lane);
        d.sub(rest).mul(s).intoMemorySegment(memory, at, Values.ORDER);
      }
    }
    chunkCount += row - from;
    return row;
  }

  /** Rows of one group of 16, the first of them in lane {@code firstLane}; some may be missing. */
  private void partOfGroup(MemorySegment memory, long offset, int from, int to, int firstLane) {
    float m = mean;
    float rest = meanRest;
    float s = scale;
    float[] sum = sums;
    float[] square = squares;
    int lane = firstLane;
    int count = 0;
    for (int row = from; row < to; row++, lane++) {
      float x = Values.getFloat(memory, offset, row);
      if (!Float.isNaN(x)) {
        float d = x - m;
        sum[lane] += d;
        square[lane] = Math.fma(d, d, square[lane]);
        Values.setFloat(memory, offset, row, (d - rest) * s);
        count++;
      }
    }
    chunkCount += count;
  }

  private void closeChunk() {
    double sum = 0;
    double square = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += sums[lane];
      square += squares[lane];
      sums[lane] = 0;
      squares[lane] = 0;
    }
    if (chunkCount > 0) {
      double centred = sum / chunkCount;
      moments.merge(chunkCount, mean + centred, Math.max(0, square - sum * centred));
    }
    chunkCount = 0;
    fit();
  }

  private void fit() {
    mean = (float) moments.mean();
    meanRest = (float) (moments.mean() - mean);
    double variance = moments.variance();
    scale = variance > 0 ? (float) (1 / Math.sqrt(variance)) : 0;
  }

  private float rewrite(float x) {
    return (x - mean - meanRest) * scale;
  }

  @Override
  public void save(State state) {
    moments.save(state);
    state.put("seen", seen, chunkCount);
    state.put("sums", sums);
    state.put("squares", squares);
    state.put("fit", mean, meanRest, scale);
  }

  @Override
  public void restore(State state) {
    moments.restore(state);
    long[] counts = state.longs("seen");
    seen = counts[0];
    chunkCount = counts[1];
    System.arraycopy(state.floats("sums"), 0, sums, 0, LANES);
    System.arraycopy(state.floats("squares"), 0, squares, 0, LANES);
    float[] fit = state.floats("fit");
    mean = fit[0];
    meanRest = fit[1];
    scale = fit[2];
  }
}
