package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;

/**
 * The function of Friedman: "Multivariate adaptive regression splines", The Annals of Statistics 19(1), 1991, page 37, over ten
 * features, uniform over [0, 1), of which five count; the noise is normal. Its concepts are those of Ikonomovska, Gama and
 * Džeroski: "Learning model trees from evolving data streams", Data Mining and Knowledge Discovery 23, 2011: 1 and 2 exchange
 * the features' parts (global drift, recurring or gradual), 3 to 5 change the function in two regions that expand (local drift).
 */
final class FriedmanStream extends SyntheticStream {
  private static final int FEATURES = 10;
  private static final int ONE = 1_000_000;
  private static final int LABEL_ONE = 100_000;

  private final RowRandom random;
  private final Concept concept;
  private final double deviation;
  private final double[] x = new double[FEATURES];

  FriedmanStream(Generator generator) {
    random = new RowRandom(generator.seed());
    concept = new Concept(generator);
    deviation = generator.noise();
  }

  @Override
  int[] decimals() {
    return new int[] {6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5};
  }

  @Override
  void row(long row, int[] values) {
    random.row(row);
    for (int i = 0; i < FEATURES; i++) {
      values[i] = random.below(ONE);
      x[i] = values[i] / (double) ONE;
    }
    // Drift and noise draw last, so that the features are the same with and without them.
    double y = mean(concept.of(row, random.unit()));
    double noise = deviation == 0 ? 0 : deviation * random.gaussian();
    values[FEATURES] = (int) Math.round((y + noise) * LABEL_ONE);
  }

  private double mean(int concept) {
    return switch (concept) {
      case 0 -> friedman(0, 1, 2, 3, 4);
      case 1 -> friedman(3, 4, 1, 0, 2);
      case 2 -> friedman(1, 4, 3, 2, 0);
      default -> expanding(concept - 2);
    };
  }

  private double friedman(int a, int b, int c, int d, int e) {
    double middle = x[c] - 0.5;
    return 10 * StrictMath.sin(Math.PI * x[a] * x[b]) + 20 * middle * middle + 10 * x[d] + 5 * x[e];
  }

  /** At each stage one condition of the regions is dropped: four at first, then three, then two. */
  private double expanding(int stage) {
    boolean low =
        x[1] < 0.3 && x[2] < 0.3 && (stage > 2 || x[3] > 0.7) && (stage > 1 || x[4] < 0.3);
    if (low) {
      return 10 * x[0] * x[1] + 20 * (x[2] - 0.5) + 10 * x[3] + 5 * x[4];
    }
    boolean high =
        x[1] > 0.7 && x[2] > 0.7 && (stage > 2 || x[3] < 0.3) && (stage > 1 || x[4] > 0.7);
    return high
        ? 10 * StrictMath.cos(x[0] * x[1])
            + 20 * (x[2] - 0.5)
            + StrictMath.exp(x[3])
            + 5 * x[4] * x[4]
        : friedman(0, 1, 2, 3, 4);
  }
}
