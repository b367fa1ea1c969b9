package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.Rbf;
import org.junit.jupiter.api.Test;

class RbfStreamTest {
  private static final int ROWS = 100_000;

  /** MOA's own loop, but that what overshoots a border is not lost. */
  @Test
  void shouldMoveCentroidsOnStraightLinesThatTurnRoundAtTheBorders() {
    Rbf rbf = new Rbf(3, 2, 8, 5, 0.003);
    RbfStream stream = new RbfStream(Settings.rbf(rbf, 4), rbf);
    double[][] place = new double[8][3];
    double[][] velocity = new double[8][3];
    int turns = 0;
    for (int c = 0; c < 8; c++) {
      double squares = 0;
      for (int i = 0; i < 3; i++) {
        place[c][i] = stream.place(c, i, 0);
        assertThat(place[c][i]).isBetween(0.0, 1.0);
        velocity[c][i] = stream.velocity(c, i);
        squares += velocity[c][i] * velocity[c][i];
      }
      if (c < 5) {
        assertThat(Math.sqrt(squares)).isCloseTo(0.003, within(1e-12));
      }
    }
    for (int n = 1; n <= 5000; n++) {
      for (int c = 0; c < 5; c++) {
        for (int i = 0; i < 3; i++) {
          place[c][i] += velocity[c][i];
          if (place[c][i] < 0 || place[c][i] > 1) {
            place[c][i] = place[c][i] < 0 ? -place[c][i] : 2 - place[c][i];
            velocity[c][i] = -velocity[c][i];
            turns++;
          }
        }
      }
      for (int c = 0; c < 8; c++) {
        for (int i = 0; i < 3; i++) {
          assertThat(stream.place(c, i, n)).isCloseTo(place[c][i], within(1e-9));
        }
      }
    }
    assertThat(turns).isGreaterThan(30);
  }

  /** The distance from the centroid is a normal draw: mean square of its deviation, kurtosis 3, in no direction more than others. */
  @Test
  void shouldScatterRowsNormallyAroundTheirCentroid() {
    Rbf rbf = new Rbf(4, 2, 1, 0, 0);
    RbfStream stream = new RbfStream(Settings.rbf(rbf, 5), rbf);
    int[] row = new int[5];
    double[] mean = new double[4];
    double squares = 0;
    double fourths = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      double square = 0;
      for (int i = 0; i < 4; i++) {
        double off = row[i] / 1e6 - stream.place(0, i, n);
        mean[i] += off / ROWS;
        square += off * off;
      }
      squares += square / ROWS;
      fourths += square * square / ROWS;
    }
    double deviation = Math.sqrt(squares);
    assertThat(deviation).isBetween(0.05, 1.0);
    for (double off : mean) {
      assertThat(off).isCloseTo(0, within(5 * deviation / Math.sqrt(4.0 * ROWS)));
    }
    // The fourth power of a normal draw varies by 96.
    assertThat(fourths / (squares * squares)).isCloseTo(3, within(5 * Math.sqrt(96.0 / ROWS)));
  }

  /** Over many models each class has its share, and within one the first rows' shares are the last ones'. */
  @Test
  void shouldHaveClassesOfOneSizeOnAverage() {
    int models = 400;
    double[] share = new double[3];
    double squares = 0;
    int[] row = new int[3];
    for (int seed = 0; seed < models; seed++) {
      SyntheticStream stream = SyntheticStream.of(Settings.rbf(new Rbf(2, 3, 10, 10, 0.001), seed));
      double[] ofModel = new double[3];
      for (int n = 0; n < 500; n++) {
        stream.row(n, row);
        ofModel[row[2]] += 1 / 500.0;
      }
      for (int k = 0; k < 3; k++) {
        share[k] += ofModel[k] / models;
        squares += Math.pow(ofModel[k] - 1 / 3.0, 2) / (3 * models);
      }
    }
    for (double each : share) {
      assertThat(each).isCloseTo(1 / 3.0, within(5 * Math.sqrt(squares / models)));
    }
    // A sum over ten centroids with weights of their own: shares scatter, but not wildly.
    assertThat(Math.sqrt(squares)).isBetween(0.1, 0.25);
  }

  @Test
  void shouldMoveTheRowsWithTheirCentroids() {
    Rbf rbf = new Rbf(2, 2, 1, 50, 0.0001);
    RbfStream stream = new RbfStream(Settings.rbf(rbf, 6), rbf);
    for (int from = 0; from < ROWS; from += 10_000) {
      int[] row = new int[3];
      double sum = 0;
      double place = 0;
      for (int n = from; n < from + 1000; n++) {
        stream.row(n, row);
        sum += row[0] / 1e9;
        place += stream.place(0, 0, n) / 1000;
      }
      assertThat(sum).isCloseTo(place, within(5 / Math.sqrt(2 * 1000.0)));
    }
    assertThat(stream.place(0, 0, 0)).isNotCloseTo(stream.place(0, 0, 5000), within(0.1));
  }

  @Test
  void shouldKeepEveryValueInAFloatsWholeNumbers() {
    Rbf rbf = new Rbf(1, 2, 50, 50, 0.001);
    SyntheticStream stream = SyntheticStream.of(Settings.rbf(rbf, 7));
    int[] row = new int[2];
    int negative = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      assertThat(Math.abs(row[0])).isLessThan(1 << 24);
      negative += row[0] < 0 ? 1 : 0;
    }
    assertThat(negative).isGreaterThan(ROWS / 100);
  }
}
