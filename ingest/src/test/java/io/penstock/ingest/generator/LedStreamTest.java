package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LedStreamTest {
  private static final int ROWS = 100_000;

  /** The display as everybody knows it: a on top, then clockwise b to f, g in the middle. */
  private static final List<String> DIGITS =
      List.of(
          "abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg");

  /** The stream's order: top, upper left, upper right, middle, lower left, lower right, bottom. */
  private static final String SEGMENTS = "afbgecd";

  @Test
  void shouldShowEachDigitAsADisplayDoes() {
    SyntheticStream stream = SyntheticStream.of(Settings.led(0, 0));
    int[] row = new int[25];
    int[] digits = new int[10];
    int lit = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      digits[row[24]]++;
      for (int i = 0; i < 7; i++) {
        assertThat(row[i]).isEqualTo(shows(row[24], i));
      }
      lit += IntStream.range(7, 24).map(i -> row[i]).sum();
    }
    for (int count : digits) {
      assertThat(count / (double) ROWS).isCloseTo(0.1, within(5 * Math.sqrt(0.09 / ROWS)));
    }
    assertThat(lit / (17.0 * ROWS)).isCloseTo(0.5, within(5 * Math.sqrt(0.25 / 17 / ROWS)));
  }

  @Test
  void shouldInvertTheShareOfSegmentsThatIsNoise() {
    SyntheticStream stream = SyntheticStream.of(Settings.led(0, 0.1));
    int[] row = new int[25];
    int inverted = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      for (int i = 0; i < 7; i++) {
        inverted += row[i] ^ shows(row[24], i);
      }
    }
    assertThat(inverted / (7.0 * ROWS)).isCloseTo(0.1, within(5 * Math.sqrt(0.09 / 7 / ROWS)));
  }

  /** Breiman et al. (1984): no rule errs in less than 26 % of the cases at 10 % noise. */
  @Test
  void shouldHaveTheBayesErrorOfTheBook() {
    int[] best = new int[128];
    double right = 0;
    for (int pattern = 0; pattern < 128; pattern++) {
      double most = 0;
      for (int digit = 0; digit < 10; digit++) {
        double probability = 0.1;
        for (int i = 0; i < 7; i++) {
          probability *= (pattern >> i & 1) == shows(digit, i) ? 0.9 : 0.1;
        }
        if (probability > most) {
          most = probability;
          best[pattern] = digit;
        }
      }
      right += most;
    }
    assertThat(1 - right).isCloseTo(0.26, within(0.0005));

    SyntheticStream stream = SyntheticStream.of(Settings.led(0, 0.1));
    int[] row = new int[25];
    int wrong = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      int pattern = IntStream.range(0, 7).map(i -> row[i] << i).sum();
      wrong += best[pattern] == row[24] ? 0 : 1;
    }
    assertThat(wrong / (double) ROWS)
        .isCloseTo(1 - right, within(5 * Math.sqrt(right * (1 - right) / ROWS)));
  }

  @Test
  void shouldExchangeSegmentsForFlagsThatMeanNothingWhenItDrifts() {
    SyntheticStream still = SyntheticStream.of(Settings.led(0, 0.1));
    SyntheticStream drifting =
        SyntheticStream.of(
            Settings.led(
                0,
                0.1,
                new DriftConfig(500, DriftKind.ABRUPT, 0, 3),
                new DriftConfig(800, DriftKind.ABRUPT, 0, 0)));
    int[] a = new int[25];
    int[] b = new int[25];
    for (int n = 0; n < 1000; n++) {
      still.row(n, a);
      drifting.row(n, b);
      if (n >= 500 && n < 800) {
        for (int i = 0; i < 3; i++) {
          int segment = a[i];
          a[i] = a[7 + i];
          a[7 + i] = segment;
        }
      }
      assertThat(b).as("row %d", n).isEqualTo(a);
    }
  }

  private static int shows(int digit, int segment) {
    return DIGITS.get(digit).indexOf(SEGMENTS.charAt(segment)) < 0 ? 0 : 1;
  }
}
