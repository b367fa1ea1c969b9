package io.penstock.trainer;

import io.penstock.pipeline.State;
import io.penstock.pipeline.Stateful;
import java.util.Arrays;

/**
 * What baselines say where a row's label becomes known a number of rows after the row: of row t, they know the labels of the rows
 * up to t - delay - 1. Nothing is allocated after the constructor. Not thread-safe.
 */
final class LateLabels implements Stateful {
  private static final String COUNTS = "counts";
  private static final String CLASS_ROWS = "classRows";
  private static final String NUMBERS = "numbers";
  private static final String WAITING = "waiting";

  private final int classes;

  /** Labels of the last rows, not yet known; NaN: not one to be known. The newest stands before {@code next}, the oldest there. */
  private final float[] waiting;

  private final long[] classRows;
  private int next;
  private int previousClass = -1;
  private int majority = -1;
  private long known;
  private double previousNumber;
  private double sum;

  /**
   * Nothing known.
   *
   * @param classes of the label; 0: it is a number
   * @param delay rows, 0 or more
   */
  LateLabels(int classes, int delay) {
    this.classes = classes;
    waiting = new float[delay + 1];
    Arrays.fill(waiting, Float.NaN);
    classRows = new long[classes];
  }

  /** The label that became known last: a class, -1 before the first; a number, 0 before the first. */
  double noChange() {
    return classes == 0 ? previousNumber : previousClass;
  }

  /** The most frequent class that is known, the one that was first where there are several, or -1; the mean of numbers, or 0. */
  double constant() {
    return classes == 0 ? known == 0 ? 0 : sum / known : majority;
  }

  /**
   * Goes on to the next row.
   *
   * @param label of the row that was the next so far; NaN where it is not to become known
   */
  void add(float label) {
    waiting[next] = label;
    next = next + 1 == waiting.length ? 0 : next + 1;
    float now = waiting[next];
    if (!Float.isNaN(now)) {
      learn(now);
    }
  }

  private void learn(float label) {
    known++;
    if (classes == 0) {
      previousNumber = label;
      sum += label;
      return;
    }
    previousClass = (int) label;
    classRows[previousClass]++;
    if (majority < 0 || classRows[previousClass] > classRows[majority]) {
      majority = previousClass;
    }
  }

  @Override
  public void save(State state) {
    state.put(COUNTS, next, previousClass, majority, known);
    state.put(CLASS_ROWS, classRows);
    state.put(NUMBERS, previousNumber, sum);
    state.put(WAITING, waiting);
  }

  @Override
  public void restore(State state) {
    float[] saved = state.floats(WAITING);
    if (saved.length != waiting.length) {
      throw new IllegalStateException(
          "saved state: labels that came %d rows late, not %d as evaluation.labelDelay has it"
              .formatted(saved.length - 1, waiting.length - 1));
    }
    System.arraycopy(saved, 0, waiting, 0, waiting.length);
    System.arraycopy(state.longs(CLASS_ROWS), 0, classRows, 0, classes);
    long[] counts = state.longs(COUNTS);
    next = (int) counts[0];
    previousClass = (int) counts[1];
    majority = (int) counts[2];
    known = counts[3];
    double[] numbers = state.doubles(NUMBERS);
    previousNumber = numbers[0];
    sum = numbers[1];
  }
}
