package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;

/**
 * SEA concepts (Street and Kim: "A streaming ensemble algorithm (SEA) for large-scale classification", KDD 2001). Three
 * features, uniform over [0, 10); the third does not matter. Class 0 where x0 + x1 &le; &theta;, else 1, as MOA's {@code
 * SEAGenerator} has it; &theta; is 8, 9, 7, 9.5 for functions 1 to 4 (here 0 to 3). Noise is the share of labels that are
 * flipped.
 */
final class SeaStream extends SyntheticStream {
  private static final int ONE = 1_000_000;
  private static final int[] DECIMALS = {6, 6, 6, 0};
  private static final int[] THRESHOLDS = {8 * ONE, 9 * ONE, 7 * ONE, 9 * ONE + ONE / 2};

  private final RowRandom random;
  private final Concept concept;
  private final double noise;

  SeaStream(Generator generator) {
    random = new RowRandom(generator.seed());
    concept = new Concept(generator);
    noise = generator.noise();
  }

  @Override
  int[] decimals() {
    return DECIMALS.clone();
  }

  @Override
  void row(long row, int[] values) {
    random.row(row);
    values[0] = random.below(10 * ONE);
    values[1] = random.below(10 * ONE);
    values[2] = random.below(10 * ONE);
    // Drift and noise draw last, so that the features are the same with and without them.
    int threshold = THRESHOLDS[concept.of(row, random.unit())];
    int label = values[0] + values[1] <= threshold ? 0 : 1;
    values[3] = random.unit() < noise ? 1 - label : label;
  }
}
