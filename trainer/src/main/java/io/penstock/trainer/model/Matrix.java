package io.penstock.trainer.model;

/**
 * A matrix within a region, line by line.
 *
 * @param offset of its first value in the region, in floats
 * @param columns values of a line, or {@link #VALID_ROWS}
 * @param stride floats from one line to the next
 */
public record Matrix(Region region, long offset, int rows, int columns, int stride) {
  /** As many columns as the minibatch has real rows; what lies behind them, up to the stride, may hold anything. */
  public static final int VALID_ROWS = -1;

  /** Whether a line has a value for each row of the minibatch. */
  public boolean perRow() {
    return columns == VALID_ROWS;
  }

  /** Columns for a minibatch of {@code validRows}. */
  public int columns(int validRows) {
    return perRow() ? validRows : columns;
  }

  /** The first {@code count} lines. */
  Matrix lines(int count) {
    return new Matrix(region, offset, count, columns, stride);
  }
}
