package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;

/**
 * Digits on a seven-segment display (Breiman, Friedman, Olshen and Stone: "Classification and regression trees", 1984, page 43),
 * with 17 flags that mean nothing, as MOA's {@code LEDGeneratorDrift} has it. Digits are equally likely; each segment is inverted
 * with the probability of the noise. Under concept n the first n segments have changed places with the first n of the other flags.
 */
final class LedStream extends SyntheticStream {
  private static final int SEGMENTS = 7;
  private static final int FLAGS = 24;
  private static final int DIGITS = 10;

  /** Lit segments of each digit: top, upper left, upper right, middle, lower left, lower right, bottom. */
  private static final int[] LIT = {
    0b111_0111, 0b001_0010, 0b101_1101, 0b101_1011, 0b011_1010,
    0b110_1011, 0b110_1111, 0b101_0010, 0b111_1111, 0b111_1011
  };

  private final RowRandom random;
  private final Concept concept;
  private final double noise;

  LedStream(Generator generator) {
    random = new RowRandom(generator.seed());
    concept = new Concept(generator);
    noise = generator.noise();
  }

  @Override
  int[] decimals() {
    return new int[FLAGS + 1];
  }

  @Override
  void row(long row, int[] values) {
    random.row(row);
    int digit = random.below(DIGITS);
    for (int i = 0; i < SEGMENTS; i++) {
      int lit = LIT[digit] >> (SEGMENTS - 1 - i) & 1;
      values[i] = random.unit() < noise ? 1 - lit : lit;
    }
    for (int i = SEGMENTS; i < FLAGS; i++) {
      values[i] = random.below(2);
    }
    int moved = concept.of(row, random.unit());
    for (int i = 0; i < moved; i++) {
      int segment = values[i];
      values[i] = values[SEGMENTS + i];
      values[SEGMENTS + i] = segment;
    }
    values[FLAGS] = digit;
  }
}
