package io.penstock.pipeline;

/**
 * Running count, mean and sum of squared differences from the mean, in double precision.
 *
 * <p>Single values by Welford (1962), groups by Chan, Golub and LeVeque (1979), eq. 2.1.
 */
final class Moments implements Stateful {
  private long count;
  private double mean;
  private double squares;

  long count() {
    return count;
  }

  double mean() {
    return mean;
  }

  /** Population variance; 0 before the first value. */
  double variance() {
    return count == 0 ? 0 : squares / count;
  }

  void add(double value) {
    count++;
    double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }

  /**
   * Adds a group.
   *
   * @param n its size
   * @param groupMean its mean
   * @param groupSquares sum of its squared differences from its mean
   */
  void merge(long n, double groupMean, double groupSquares) {
    if (n == 0) {
      return;
    }
    long total = count + n;
    double delta = groupMean - mean;
    squares += groupSquares + delta * delta * ((double) count * n / total);
    mean += delta * n / total;
    count = total;
  }

  @Override
  public void save(State state) {
    state.put("count", count);
    state.put("moments", mean, squares);
  }

  @Override
  public void restore(State state) {
    count = state.longs("count")[0];
    double[] moments = state.doubles("moments");
    mean = moments[0];
    squares = moments[1];
  }
}
