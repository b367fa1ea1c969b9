package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FriedmanStreamTest {
  private static final int ROWS = 100_000;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void shouldFollowTheFunctionOfTheConcept(int concept) {
    SyntheticStream stream = SyntheticStream.of(Settings.friedman(concept, 0));
    int[] row = new int[11];
    double[] x = new double[11]; // from 1, as in the papers
    int local = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      for (int i = 1; i <= 10; i++) {
        x[i] = row[i - 1] / 1e6;
      }
      double y = row[10] / 1e5;
      assertThat(y).as("row %d", n).isCloseTo(papers(concept, x), within(0.51e-5));
      local += Math.abs(y - papers(0, x)) > 1e-4 ? 1 : 0;
    }
    // The two regions of the local drift: 0.3^4, 0.3^3 and 0.3^2 of the cube each.
    if (concept >= 3) {
      double share = 2 * Math.pow(0.3, 7 - concept);
      assertThat(local / (double) ROWS)
          .isCloseTo(share, within(5 * Math.sqrt(share * (1 - share) / ROWS)));
    }
  }

  private static double papers(int concept, double[] x) {
    boolean first = x[2] < 0.3 && x[3] < 0.3;
    boolean second = x[2] > 0.7 && x[3] > 0.7;
    if (concept == 3 || concept == 4) {
      first = first && x[4] > 0.7;
      second = second && x[4] < 0.3;
    }
    if (concept == 3) {
      first = first && x[5] < 0.3;
      second = second && x[5] > 0.7;
    }
    if (concept >= 3 && first) {
      return 10 * x[1] * x[2] + 20 * (x[3] - 0.5) + 10 * x[4] + 5 * x[5];
    }
    if (concept >= 3 && second) {
      return 10 * Math.cos(x[1] * x[2])
          + 20 * (x[3] - 0.5)
          + Math.exp(x[4])
          + 5 * Math.pow(x[5], 2);
    }
    return switch (concept) {
      case 1 ->
          10 * Math.sin(Math.PI * x[4] * x[5])
              + 20 * Math.pow(x[2] - 0.5, 2)
              + 10 * x[1]
              + 5 * x[3];
      case 2 ->
          10 * Math.sin(Math.PI * x[2] * x[5])
              + 20 * Math.pow(x[4] - 0.5, 2)
              + 10 * x[3]
              + 5 * x[1];
      default ->
          10 * Math.sin(Math.PI * x[1] * x[2])
              + 20 * Math.pow(x[3] - 0.5, 2)
              + 10 * x[4]
              + 5 * x[5];
    };
  }

  /** Mean and variance of the parts, which are independent: by integrals, that of the sine by the midpoint rule. */
  @Test
  void shouldHaveMeanAndVarianceOfTheFunctionAndItsNoise() {
    int cells = 1000;
    double sine = 0;
    double sineSquared = 0;
    for (int i = 0; i < cells; i++) {
      for (int j = 0; j < cells; j++) {
        double s = 10 * Math.sin(Math.PI * (i + 0.5) / cells * (j + 0.5) / cells);
        sine += s / cells / cells;
        sineSquared += s * s / cells / cells;
      }
    }
    double mean = sine + 20 / 12.0 + 10 / 2.0 + 5 / 2.0;
    double variance =
        sineSquared - sine * sine + 400 * (1 / 80.0 - 1 / 144.0) + 100 / 12.0 + 25 / 12.0 + 1;
    SyntheticStream stream = SyntheticStream.of(Settings.friedman(0, 1));
    int[] row = new int[11];
    double sum = 0;
    double squares = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      double y = row[10] / 1e5 - mean;
      sum += y;
      squares += y * y;
    }
    assertThat(mean).isCloseTo(14.41, within(0.01));
    assertThat(sum / ROWS).isCloseTo(0, within(5 * Math.sqrt(variance / ROWS)));
    // Nearly normal: the square of the label scatters by about twice the square of its variance.
    assertThat(squares / ROWS).isCloseTo(variance, within(5 * variance * Math.sqrt(2.0 / ROWS)));
  }

  @Test
  void shouldAddNormalNoiseOfTheDeviationThatIsConfigured() {
    SyntheticStream clean = SyntheticStream.of(Settings.friedman(0, 0));
    SyntheticStream noisy = SyntheticStream.of(Settings.friedman(0, 0.5));
    int[] a = new int[11];
    int[] b = new int[11];
    double sum = 0;
    double squares = 0;
    double fourths = 0;
    int beyond = 0;
    for (int n = 0; n < ROWS; n++) {
      clean.row(n, a);
      noisy.row(n, b);
      double noise = (b[10] - a[10]) / 1e5 / 0.5;
      sum += noise;
      squares += noise * noise;
      fourths += Math.pow(noise, 4);
      beyond += noise > 1.959964 ? 1 : 0;
    }
    assertThat(sum / ROWS).isCloseTo(0, within(5 / Math.sqrt(ROWS)));
    assertThat(squares / ROWS).isCloseTo(1, within(5 * Math.sqrt(2.0 / ROWS)));
    assertThat(fourths / ROWS).isCloseTo(3, within(5 * Math.sqrt(96.0 / ROWS)));
    assertThat(beyond / (double) ROWS).isCloseTo(0.025, within(5 * Math.sqrt(0.025 / ROWS)));
  }

  @Test
  void shouldRecurWhereADriftLeadsBack() {
    SyntheticStream before = SyntheticStream.of(Settings.friedman(0, 1));
    SyntheticStream between = SyntheticStream.of(Settings.friedman(1, 1));
    SyntheticStream drifting =
        SyntheticStream.of(
            Settings.friedman(
                0,
                1,
                new DriftConfig(500, DriftKind.ABRUPT, 0, 1),
                new DriftConfig(750, DriftKind.ABRUPT, 0, 0)));
    int[] expected = new int[11];
    int[] row = new int[11];
    for (int n = 0; n < 1000; n++) {
      (n >= 500 && n < 750 ? between : before).row(n, expected);
      drifting.row(n, row);
      assertThat(row).as("row %d", n).isEqualTo(expected);
    }
  }
}
