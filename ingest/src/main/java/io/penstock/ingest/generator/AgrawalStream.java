package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;

/**
 * Loan applicants of Agrawal, Imielinski and Swami (1993), with the attributes of MOA's {@code AgrawalGenerator}: salary
 * uniform over 20,000 to 150,000; commission 0 from a salary of 75,000, else uniform over 10,000 to 75,000; age 20 to 80;
 * education level 0 to 4; car 0 to 19; zip code 0 to 8; house value 0.5 to 1.5 times 100,000 (9 - zip code); years in the
 * house 1 to 30; loan 0 to 500,000. Labelled by {@link AgrawalFunctions}, then disturbed.
 *
 * <p>Noise p moves a value by up to p times its range, and back into its range (a commission of 0 stays). For the house value
 * MOA's bounds are 0 and 135,000, though values reach 1,350,000; they are kept, so that results compare with the
 * literature's.
 */
final class AgrawalStream extends SyntheticStream {
  private static final int SALARY = 0;
  private static final int COMMISSION = 1;
  private static final int AGE = 2;
  private static final int ELEVEL = 3;
  private static final int CAR = 4;
  private static final int ZIPCODE = 5;
  private static final int HVALUE = 6;
  private static final int HYEARS = 7;
  private static final int LOAN = 8;
  private static final int GROUP = 9;

  private static final int[] DECIMALS = {2, 2, 0, 0, 0, 0, 0, 0, 1, 0};
  private static final int CENTS = 100;
  private static final int TENTHS = 10;

  private final RowRandom random;
  private final Concept concept;
  private final double noise;

  AgrawalStream(Generator generator) {
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
    draw(values);
    // Drift and noise draw last, so that what the labels rest on is the same with and without them.
    values[GROUP] =
        AgrawalFunctions.label(
            concept.of(row, random.unit()),
            values[SALARY] / (double) CENTS,
            values[COMMISSION] / (double) CENTS,
            values[AGE],
            values[ELEVEL],
            values[HVALUE],
            values[HYEARS],
            values[LOAN] / (double) TENTHS);
    if (noise > 0) {
      disturb(values);
    }
  }

  private void draw(int[] values) {
    int salary = 20_000 * CENTS + random.below(130_000 * CENTS);
    int commission = 10_000 * CENTS + random.below(65_000 * CENTS);
    int zipcode = random.below(9);
    int houseScale = (9 - zipcode) * 100_000;
    values[SALARY] = salary;
    values[COMMISSION] = salary >= 75_000 * CENTS ? 0 : commission;
    values[AGE] = 20 + random.below(61);
    values[ELEVEL] = random.below(5);
    values[CAR] = random.below(20);
    values[ZIPCODE] = zipcode;
    values[HVALUE] = houseScale / 2 + random.below(houseScale);
    values[HYEARS] = 1 + random.below(30);
    values[LOAN] = random.below(500_000 * TENTHS);
  }

  private void disturb(int[] values) {
    disturb(values, SALARY, 130_000 * CENTS, 20_000 * CENTS, 150_000 * CENTS);
    if (values[COMMISSION] > 0) {
      disturb(values, COMMISSION, 65_000 * CENTS, 10_000 * CENTS, 75_000 * CENTS);
    }
    disturb(values, AGE, 60, 20, 80);
    disturb(values, HVALUE, (9 - values[ZIPCODE]) * 100_000, 0, 135_000);
    disturb(values, HYEARS, 29, 1, 30);
    disturb(values, LOAN, 500_000 * TENTHS, 0, 500_000 * TENTHS);
  }

  private void disturb(int[] values, int field, int range, int min, int max) {
    double moved = values[field] + range * (2 * random.unit() - 1) * noise;
    values[field] = Math.clamp(Math.round(moved), min, max);
  }
}
