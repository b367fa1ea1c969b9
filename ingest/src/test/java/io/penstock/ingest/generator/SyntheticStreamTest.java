package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.Friedman;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.SourceConfig.Hyperplane;
import io.penstock.config.SourceConfig.Led;
import io.penstock.config.SourceConfig.Rbf;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SyntheticStreamTest {
  private static final int ROWS = 100_000;

  // Exact shares: the corner of [0, 10) x [0, 10) below x0 + x1 = theta holds theta^2 / 200 for
  // theta <= 10.
  @ParameterizedTest
  @CsvSource({"0, 8", "1, 9", "2, 7", "3, 9.5"})
  void shouldSplitSeaAtTheThresholdOfTheFunction(int function, double theta) {
    SyntheticStream stream = SyntheticStream.of(Settings.sea(0, function, 0));
    int[] row = new int[4];
    int ones = 0;
    for (int i = 0; i < ROWS; i++) {
      stream.row(i, row);
      assertThat(row[3]).isEqualTo((row[0] + (long) row[1]) / 1e6 <= theta ? 0 : 1);
      ones += row[3];
    }
    double share = 1 - theta * theta / 200;
    assertThat(ones / (double) ROWS)
        .isCloseTo(share, within(5 * Math.sqrt(share * (1 - share) / ROWS)));
  }

  @Test
  void shouldDrawSeaFeaturesUniformlyAndIndependently() {
    SyntheticStream stream = SyntheticStream.of(Settings.sea(0, 0, 0));
    int[] row = new int[4];
    double[] sum = new double[3];
    double[] squares = new double[3];
    double cross = 0;
    double serial = 0;
    double before = 0;
    for (int i = 0; i < ROWS; i++) {
      stream.row(i, row);
      for (int f = 0; f < 3; f++) {
        double x = row[f] / 1e6 - 5;
        sum[f] += x;
        squares[f] += x * x;
      }
      double x0 = row[0] / 1e6 - 5;
      cross += x0 * (row[1] / 1e6 - 5);
      serial += x0 * before;
      before = row[2] / 1e6 - 5;
    }
    double variance = 100.0 / 12;
    double meanError = 5 * Math.sqrt(variance / ROWS);
    for (int f = 0; f < 3; f++) {
      assertThat(sum[f] / ROWS).isCloseTo(0, within(meanError));
      assertThat(squares[f] / ROWS).isCloseTo(variance, within(0.15));
    }
    assertThat(cross / ROWS).isCloseTo(0, within(5 * variance / Math.sqrt(ROWS)));
    assertThat(serial / ROWS).isCloseTo(0, within(5 * variance / Math.sqrt(ROWS)));
  }

  @Test
  void shouldFlipTheGivenShareOfSeaLabelsAndNothingElse() {
    SyntheticStream clean = SyntheticStream.of(Settings.sea(0, 0, 0));
    SyntheticStream noisy = SyntheticStream.of(Settings.sea(0, 0, 0.1));
    int[] a = new int[4];
    int[] b = new int[4];
    int flipped = 0;
    for (int i = 0; i < ROWS; i++) {
      clean.row(i, a);
      noisy.row(i, b);
      assertThat(b).startsWith(a[0], a[1], a[2]);
      flipped += a[3] ^ b[3];
    }
    assertThat(flipped / (double) ROWS).isCloseTo(0.1, within(5 * Math.sqrt(0.09 / ROWS)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
  void shouldLabelAgrawalAsTheTableOfThePaperSays(int function) {
    SyntheticStream stream = SyntheticStream.of(Settings.agrawal(0, function, 0));
    int[] row = new int[10];
    int groupA = 0;
    for (int i = 0; i < ROWS; i++) {
      stream.row(i, row);
      assertThat(row[9]).as("row %d", i).isEqualTo(PaperTable.groupA(function + 1, row) ? 0 : 1);
      groupA += 1 - row[9];
    }
    // Every function tells applicants apart; function 10 refuses very few.
    assertThat(groupA).isBetween(ROWS / 1000, ROWS - ROWS / 1000);
  }

  @Test
  void shouldKeepAgrawalValuesInTheRangesOfThePaper() {
    SyntheticStream stream = SyntheticStream.of(Settings.agrawal(0, 0, 0));
    int[] row = new int[10];
    double salaries = 0;
    for (int i = 0; i < ROWS; i++) {
      stream.row(i, row);
      salaries += row[0] / 100.0;
      assertThat(row[0]).isBetween(2_000_000, 14_999_999);
      if (row[0] >= 7_500_000) {
        assertThat(row[1]).isZero();
      } else {
        assertThat(row[1]).isBetween(1_000_000, 7_499_999);
      }
      assertThat(row[2]).isBetween(20, 80);
      assertThat(row[3]).isBetween(0, 4);
      assertThat(row[4]).isBetween(0, 19);
      assertThat(row[5]).isBetween(0, 8);
      assertThat(row[6]).isBetween((9 - row[5]) * 50_000, (9 - row[5]) * 150_000 - 1);
      assertThat(row[7]).isBetween(1, 30);
      assertThat(row[8]).isBetween(0, 4_999_999);
    }
    assertThat(salaries / ROWS).isCloseTo(85_000, within(5 * 130_000 / Math.sqrt(12.0 * ROWS)));
  }

  @Test
  void shouldDisturbAgrawalValuesWithinTheirRangesAfterLabelling() {
    SyntheticStream clean = SyntheticStream.of(Settings.agrawal(0, 4, 0));
    SyntheticStream noisy = SyntheticStream.of(Settings.agrawal(0, 4, 0.05));
    int[] a = new int[10];
    int[] b = new int[10];
    for (int i = 0; i < ROWS; i++) {
      clean.row(i, a);
      noisy.row(i, b);
      assertThat(b[9]).isEqualTo(a[9]);
      assertThat(new int[] {b[3], b[4], b[5]}).containsExactly(a[3], a[4], a[5]);
      assertThat(Math.abs(b[0] - a[0])).isLessThanOrEqualTo(650_000);
      assertThat(b[0]).isBetween(2_000_000, 15_000_000);
      assertThat(b[1] == 0).isEqualTo(a[1] == 0);
      assertThat(Math.abs(b[2] - a[2])).isLessThanOrEqualTo(3);
      assertThat(b[2]).isBetween(20, 80);
      assertThat(b[6]).isBetween(0, 135_000);
      assertThat(Math.abs(b[7] - a[7])).isLessThanOrEqualTo(2);
      assertThat(Math.abs(b[8] - a[8])).isLessThanOrEqualTo(250_000);
      assertThat(b[8]).isBetween(0, 5_000_000);
    }
  }

  @Test
  void shouldChangeTheConceptExactlyAtTheRowOfAnAbruptDrift() {
    long at = 5000;
    SyntheticStream before = SyntheticStream.of(Settings.agrawal(0, 0, 0));
    SyntheticStream after = SyntheticStream.of(Settings.agrawal(0, 2, 0));
    SyntheticStream drifting =
        SyntheticStream.of(Settings.agrawal(0, 0, 0, new DriftConfig(at, DriftKind.ABRUPT, 0, 2)));
    int[] expected = new int[10];
    int[] row = new int[10];
    for (long i = 0; i < 2 * at; i++) {
      (i < at ? before : after).row(i, expected);
      drifting.row(i, row);
      assertThat(row).as("row %d", i).isEqualTo(expected);
    }
  }

  @Test
  void shouldDriftGraduallyAlongTheSigmoid() {
    long at = 100_000;
    long width = 20_000;
    SyntheticStream before = SyntheticStream.of(Settings.sea(0, 2, 0));
    SyntheticStream after = SyntheticStream.of(Settings.sea(0, 3, 0));
    SyntheticStream drifting =
        SyntheticStream.of(Settings.sea(0, 2, 0, new DriftConfig(at, DriftKind.GRADUAL, width, 3)));
    int[] old = new int[4];
    int[] fresh = new int[4];
    int[] row = new int[4];
    int bucket = 5_000;
    for (long from = 0; from < 2 * at; from += bucket) {
      int telling = 0;
      int changed = 0;
      double expected = 0;
      for (long i = from; i < from + bucket; i++) {
        before.row(i, old);
        after.row(i, fresh);
        drifting.row(i, row);
        if (old[3] != fresh[3]) {
          telling++;
          changed += row[3] == fresh[3] ? 1 : 0;
          expected += 1 / (1 + Math.exp(-4.0 * (i - at) / width));
        } else {
          assertThat(row[3]).isEqualTo(old[3]);
        }
      }
      assertThat(telling).isGreaterThan(500);
      assertThat(changed / (double) telling)
          .as("rows from %d", from)
          .isCloseTo(expected / telling, within(5 * Math.sqrt(0.25 / telling)));
    }
  }

  @ParameterizedTest
  @MethodSource("io.penstock.ingest.generator.Settings#each")
  void shouldGiveTheSameRowWhereverReadingBegins(Generator generator) {
    SyntheticStream through = SyntheticStream.of(generator);
    SyntheticStream jumping = SyntheticStream.of(generator);
    SplittableRandom random = new SplittableRandom(1);
    int[] expected = new int[through.decimals().length];
    int[] row = new int[expected.length];
    for (long i = 0; i < 1000; i++) {
      through.row(i, expected);
      SyntheticStream.of(generator).row(i, row);
      assertThat(row).isEqualTo(expected);
      jumping.row(random.nextLong(1000), row);
      jumping.row(i, row);
      assertThat(row).isEqualTo(expected);
    }
  }

  // Recorded once: a stream is part of the results that people publish and must never change.
  @Test
  void shouldStayTheStreamItWas() {
    requireRow(
        new Generator(GeneratorStream.SEA, 0, 1, 0, 0, List.of()),
        123_456_789,
        2719505,
        7280384,
        7767616,
        1);
    requireRow(
        new Generator(GeneratorStream.AGRAWAL, 0, 1, 0, 0.05, List.of()),
        123_456_789,
        4953012,
        5699038,
        36,
        3,
        10,
        6,
        135000,
        11,
        2706200,
        0);
    requireRow(
        new Generator(new Hyperplane(4, 2, 0.001, 0.1), 0, 1, 0, 0.05, List.of()),
        1_234_567,
        999846,
        875133,
        415554,
        17427,
        0);
    requireRow(
        new Generator(new Rbf(4, 3, 50, 50, 0.0001), 0, 1, 0, 0, List.of()),
        1_234_567,
        893132,
        -193788,
        695374,
        584091,
        2);
    requireRow(
        new Generator(new Led(), 0, 1, 3, 0.1, List.of()),
        1_234_567,
        0,
        0,
        0,
        1,
        0,
        1,
        1,
        1,
        1,
        0,
        1,
        0,
        1,
        1,
        1,
        0,
        0,
        1,
        1,
        0,
        1,
        1,
        0,
        1,
        9);
    requireRow(
        new Generator(new Friedman(), 0, 1, 5, 1, List.of()),
        1_234_567,
        999846,
        875133,
        415554,
        17427,
        909426,
        602405,
        124111,
        367619,
        34523,
        152022,
        735323);
  }

  private static void requireRow(Generator generator, long number, int... expected) {
    int[] row = new int[expected.length];
    SyntheticStream.of(generator).row(number, row);
    assertThat(row).containsExactly(expected);
  }
}
