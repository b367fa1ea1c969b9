package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/** How a column that has passed its operators becomes features of a slot. */
sealed interface Encoding {

  /** The names of the features, in order. */
  List<String> names(String column);

  /**
   * Writes {@code count} values, the first in row {@code from} of the column at byte {@code offset} of {@code in}.
   *
   * @param feature the first of the features
   * @param to the row of {@code out} that the first value becomes
   */
  void write(
      MemorySegment in,
      long offset,
      int from,
      int count,
      MemorySegment out,
      SlotLayout layout,
      int feature,
      int to);

  /** Floats, which are features as they are. */
  record AsIs() implements Encoding {
    @Override
    public List<String> names(String column) {
      return List.of(column);
    }

    @Override
    public void write(
        MemorySegment in,
        long offset,
        int from,
        int count,
        MemorySegment out,
        SlotLayout layout,
        int feature,
        int to) {
      Values.copyFloats(in, offset, from, count, out, layout.featureOffset(feature), to);
    }
  }

  /**
   * Of some features at most one is set, the others are 0. The value is that feature's number, from 1: it is set to 1; to -1
   * where the value is negative. 0: none.
   *
   * @param suffixes of the features' names, behind {@code #}
   * @param wide whether values are longs; otherwise floats
   */
  record Indicators(List<String> suffixes, boolean wide) implements Encoding {
    static Indicators numbered(int features, boolean wide) {
      return new Indicators(
          IntStream.range(0, features).mapToObj(Integer::toString).toList(), wide);
    }

    @Override
    public List<String> names(String column) {
      return suffixes.stream().map(suffix -> column + "#" + suffix).toList();
    }

    @Override
    public void write(
        MemorySegment in,
        long offset,
        int from,
        int count,
        MemorySegment out,
        SlotLayout layout,
        int feature,
        int to) {
      for (int f = 0; f < suffixes.size(); f++) {
        Values.fillFloat(out, layout.featureOffset(feature + f), to, to + count, 0);
      }
      for (int row = 0; row < count; row++) {
        int number =
            wide
                ? (int) Values.getLong(in, offset, from + row)
                : (int) Values.getFloat(in, offset, from + row);
        if (number != 0) {
          long set = layout.featureOffset(feature + Math.abs(number) - 1);
          Values.setFloat(out, set, to + row, Integer.signum(number));
        }
      }
    }
  }

  /**
   * Sine and cosine of so many turns, floats, by functions that are the same on every machine. Of a missing value (NaN) both
   * are 0, the middle of the circle.
   */
  record Circle() implements Encoding {
    @Override
    public List<String> names(String column) {
      return List.of(column + ".sin", column + ".cos");
    }

    @Override
    public void write(
        MemorySegment in,
        long offset,
        int from,
        int count,
        MemorySegment out,
        SlotLayout layout,
        int feature,
        int to) {
      long sine = layout.featureOffset(feature);
      long cosine = layout.featureOffset(feature + 1);
      for (int row = 0; row < count; row++) {
        double angle = 2 * Math.PI * Values.getFloat(in, offset, from + row);
        boolean missing = Double.isNaN(angle);
        Values.setFloat(out, sine, to + row, missing ? 0 : (float) StrictMath.sin(angle));
        Values.setFloat(out, cosine, to + row, missing ? 0 : (float) StrictMath.cos(angle));
      }
    }
  }
}
