package io.penstock.app;

import java.util.Locale;
import java.util.SplittableRandom;

/** Rows of our own as CSV: numbers, one of them missing now and then, a flag, a category, and a class that depends on them. */
final class TestCsv {
  static final String HEADER = "x0,x1,x2,flag,city,y\n";

  /** Schema, features and model that learn from them. */
  static final String LEARNING =
      """
      schema:
        label: { field: y, type: class, classes: [low, high] }
        fields: { x0: number, x1: number, x2: number, flag: flag, city: category }
      features:
        - impute: { fields: x1 }
        - clip: { fields: x2, min: -2, max: 2 }
        - standardize: { fields: number }
        - oneHot: { fields: city, capacity: 4 }
      model: { mlp: { hidden: [16] } }
      optimizer: { adam: { learningRate: 0.01 } }
      """;

  private TestCsv() {}

  /** Header and rows, a function of the seed. */
  static String rows(long seed, int rows) {
    SplittableRandom random = new SplittableRandom(seed);
    StringBuilder text = new StringBuilder(HEADER);
    for (int i = 0; i < rows; i++) {
      row(random, text);
    }
    return text.toString();
  }

  private static void row(SplittableRandom random, StringBuilder text) {
    double x0 = random.nextGaussian();
    double x2 = random.nextGaussian();
    int city = random.nextInt(6);
    boolean high = x0 + x2 > (city < 3 ? 0.5 : -0.5);
    text.append(String.format(Locale.ROOT, "%.4f,", x0));
    if (random.nextInt(5) > 0) {
      text.append(String.format(Locale.ROOT, "%.6e", random.nextGaussian(3, 100)));
    }
    text.append(String.format(Locale.ROOT, ",%.9f,", x2));
    text.append(random.nextInt(2))
        .append(city == 5 ? ",\"Köln, am Rhein\"," : ",city" + city + ",");
    text.append(high ? "high\n" : "low\n");
  }
}
