package io.penstock.trainer.cuda;

import java.util.Arrays;

/**
 * When each step's copy and computing began and ended on the GPU, in microseconds of one clock; of a run without copies their
 * times are those at which nothing was copied, begin and end being equal.
 */
final class Timeline {
  private final double[] copyBegins;
  private final double[] copyEnds;
  private final double[] computeBegins;
  private final double[] computeEnds;

  Timeline(double[] copyBegins, double[] copyEnds, double[] computeBegins, double[] computeEnds) {
    int steps = computeEnds.length;
    if (copyBegins.length != steps || copyEnds.length != steps || computeBegins.length != steps) {
      throw new IllegalArgumentException("times of %d steps are not whole".formatted(steps));
    }
    this.copyBegins = copyBegins;
    this.copyEnds = copyEnds;
    this.computeBegins = computeBegins;
    this.computeEnds = computeEnds;
  }

  /**
   * Microseconds from the end of one step to that of the next, on the average.
   *
   * @param first step that counts; those before fill the pipeline
   */
  double stepMicros(int first) {
    int last = computeEnds.length - 1;
    return (computeEnds[last] - computeEnds[first - 1]) / (last - first + 1);
  }

  /** Median of the copies' durations. */
  double copyMicros(int first) {
    return medianLength(copyBegins, copyEnds, first);
  }

  /** Median of how long steps were computed, without what they waited for. */
  double computeMicros(int first) {
    return medianLength(computeBegins, computeEnds, first);
  }

  /** The share of the time that copies took during which some step was computed. */
  double hiddenShare(int first) {
    double copied = 0;
    double hidden = 0;
    for (int i = first; i < copyBegins.length; i++) {
      copied += copyEnds[i] - copyBegins[i];
      for (int k = 0; k < computeBegins.length; k++) {
        double both =
            Math.min(copyEnds[i], computeEnds[k]) - Math.max(copyBegins[i], computeBegins[k]);
        hidden += Math.max(0, both);
      }
    }
    return copied == 0 ? 1 : hidden / copied;
  }

  private static double medianLength(double[] begins, double[] ends, int first) {
    double[] lengths = new double[begins.length - first];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = ends[first + i] - begins[first + i];
    }
    Arrays.sort(lengths);
    return lengths[lengths.length / 2];
  }
}
