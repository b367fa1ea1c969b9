package io.penstock.trainer.model;

/**
 * Bins of the score of two classes, ln(p / (1 - p)) of class 1, and what is computed from the rows in them. Bins of equal width
 * in the logarithm keep their resolution where one class is rare: probabilities of 1 in 1,000 and of 1 in 2,000 lie 22 bins
 * apart. Beyond ±16 (p = 10⁻⁷) all scores are in the outermost bins.
 *
 * <p>Rows of one bin count as having equal scores. How much that can change is known from the bins and told with each number.
 */
public final class ScoreBins {
  /** Number of the bins. */
  public static final int COUNT = 1024;

  /** Scores from -this to this have bins of their own. */
  public static final double RANGE = 16;

  /** Bins of the probability, of equal width, over which calibration errors are summed up (15, as Guo et al., 2017). */
  public static final int PROBABILITIES = 15;

  private static final double BINS_PER_UNIT = COUNT / (2 * RANGE);
  private static final double[] PROBABILITY_AT = edges();

  private ScoreBins() {}

  /** The probabilities at the bins' edges. */
  public static double[] edges() {
    double[] edges = new double[COUNT + 1];
    for (int i = 0; i <= COUNT; i++) {
      edges[i] = 1 / (1 + StrictMath.exp(RANGE - i / BINS_PER_UNIT));
    }
    return edges;
  }

  /** A score's place among the bins: its bin is the whole part, but for the last edge, which is of the last bin. */
  static double place(float score) {
    double inRange = score > -RANGE ? Math.min(score, RANGE) : -RANGE;
    return (inRange + RANGE) * BINS_PER_UNIT;
  }

  static int bin(double place) {
    return Math.min((int) place, COUNT - 1);
  }

  /** The probability of class 1, on the straight line between the edges of the bin: within 1.2 · 10⁻⁵. */
  static double probability(double place, int bin) {
    double low = PROBABILITY_AT[bin];
    return low + (place - bin) * (PROBABILITY_AT[bin + 1] - low);
  }

  /** The bin of a probability. */
  static int probabilityBin(double probability) {
    return Math.min((int) (probability * PROBABILITIES), PROBABILITIES - 1);
  }

  /**
   * A number from binned scores.
   *
   * @param error how far it can be from that of the scores themselves
   */
  public record Estimate(double value, double error) {
    static final Estimate NONE = new Estimate(Double.NaN, Double.NaN);

    /** An area, which rounding must not make larger than all. */
    private static Estimate of(double area, double error) {
      return new Estimate(Math.min(area, 1), error);
    }
  }

  /**
   * Area under the ROC curve: the chance that a row of class 1 has a higher score than one of class 0, equal scores counting
   * half. Pairs within a bin are counted half, whatever they are: the error is at most half of their share of all pairs.
   *
   * @param sums rows of class 0 in each bin from {@code at} on, behind them those of class 1
   */
  static Estimate auc(double[] sums, int at) {
    double positives = 0;
    double negatives = 0;
    double won = 0;
    double tied = 0;
    for (int bin = 0; bin < COUNT; bin++) {
      double n = sums[at + bin];
      double p = sums[at + COUNT + bin];
      won += p * negatives;
      tied += p * n;
      negatives += n;
      positives += p;
    }
    double pairs = positives * negatives;
    return pairs > 0 ? Estimate.of((won + tied / 2) / pairs, tied / 2 / pairs) : Estimate.NONE;
  }

  /**
   * Area under the precision-recall curve as the average precision: the sum over the thresholds, from the highest, of the
   * precision there times what the recall gains, without interpolation (as scikit-learn's {@code average_precision_score});
   * equal scores are one threshold, and so are those of a bin.
   *
   * <p>With h and m rows of class 1 and 0 in higher bins, p and n in this one, the precision at its rows of class 1 is at most
   * (h + p) / (h + p + m), and on average at least half of what it is at both ends of the worst order, h / (h + m + n) and
   * (h + p) / (h + p + m + n), growing ever more slowly between them. The error is at most the farther of the two, over all bins.
   *
   * @param sums as of {@link #auc}
   */
  static Estimate prAuc(double[] sums, int at) {
    double positives = 0;
    double negatives = 0;
    for (int bin = 0; bin < COUNT; bin++) {
      negatives += sums[at + bin];
      positives += sums[at + COUNT + bin];
    }
    if (!(positives > 0 && negatives > 0)) {
      return Estimate.NONE;
    }
    double area = 0;
    double above = 0;
    double below = 0;
    double hits = 0;
    double misses = 0;
    for (int bin = COUNT - 1; bin >= 0; bin--) {
      double n = sums[at + bin];
      double p = sums[at + COUNT + bin];
      if (p > 0) {
        double precision = (hits + p) / (hits + p + misses + n);
        area += p * precision;
        above += p * ((hits + p) / (hits + p + misses) - precision);
        double worst = misses + n > 0 ? hits / (hits + misses + n) : 1;
        below += p * (precision - worst) / 2;
      }
      hits += p;
      misses += n;
    }
    return Estimate.of(area / positives, Math.max(above, below) / positives);
  }
}
