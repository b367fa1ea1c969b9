package io.penstock.trainer.model;

import java.util.List;

/**
 * Rows by true and by predicted class; fading ones as they weigh, the newest 1.
 *
 * @param rows of the first true class by predicted class, then those of the next
 */
public record Confusion(int classes, List<Double> rows) {
  /** Of more classes there is none. */
  public static final int MOST_CLASSES = 64;

  /** Takes a copy. */
  public Confusion {
    rows = List.copyOf(rows);
    if (rows.size() != classes * classes) {
      throw new IllegalArgumentException(
          "confusion: %d numbers expected for %d classes, not %d"
              .formatted(classes * classes, classes, rows.size()));
    }
  }

  /** Rows of a true class that were predicted to be of another, or the same. */
  public double rows(int actual, int predicted) {
    return rows.get(actual * classes + predicted);
  }
}
