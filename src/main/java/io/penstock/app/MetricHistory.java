package io.penstock.app;

import java.util.Arrays;

/**
 * The windowed metric over the rows of a run, in a bounded number of points: when they are full, every second one is dropped
 * and the distance between points doubles. Main thread only.
 */
final class MetricHistory {
  private static final int CAPACITY = 64;

  private final long[] rows = new long[CAPACITY];
  private final double[] values = new double[CAPACITY];
  private int size;
  private long distanceRows;

  /**
   * @param distanceRows rows between points at first, such as the window's length
   */
  MetricHistory(long distanceRows) {
    this.distanceRows = Math.max(1, distanceRows);
  }

  /** Notes a point where the last one is far enough away. A run that has gone back takes points beyond that back. */
  void observe(long row, double value) {
    while (size > 0 && rows[size - 1] > row) {
      size--;
    }
    if (Double.isNaN(value) || row < (size == 0 ? distanceRows : rows[size - 1] + distanceRows)) {
      return;
    }
    if (size == CAPACITY) {
      thin();
    }
    rows[size] = row;
    values[size] = value;
    size++;
  }

  int size() {
    return size;
  }

  long row(int index) {
    return rows[index];
  }

  double value(int index) {
    return values[index];
  }

  int indexOfLeast() {
    int least = 0;
    for (int i = 1; i < size; i++) {
      if (values[i] < values[least]) {
        least = i;
      }
    }
    return least;
  }

  int indexOfMost() {
    int most = 0;
    for (int i = 1; i < size; i++) {
      if (values[i] > values[most]) {
        most = i;
      }
    }
    return most;
  }

  String sparkline() {
    return Texts.sparkline(Arrays.copyOf(values, size), size);
  }

  private void thin() {
    for (int i = 1; i < size; i += 2) {
      rows[i / 2] = rows[i];
      values[i / 2] = values[i];
    }
    size /= 2;
    distanceRows *= 2;
  }
}
