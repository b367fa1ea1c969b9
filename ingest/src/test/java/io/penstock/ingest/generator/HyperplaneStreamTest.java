package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.Hyperplane;
import org.junit.jupiter.api.Test;

class HyperplaneStreamTest {
  private static final int ROWS = 100_000;

  /** What the weights may be, by the rule of the paper: side by side with the stream, in doubles, step by step. */
  @Test
  void shouldLabelTheSideOfAHyperplaneWhoseFirstWeightsMoveByTheMagnitude() {
    Hyperplane plane = new Hyperplane(6, 3, 0.001, 0.1);
    HyperplaneStream stream = new HyperplaneStream(Settings.hyperplane(plane, 0), plane);
    int[] row = new int[7];
    double[] before = new double[6];
    double[] direction = {1, 1, 1};
    int turns = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      double sum = 0;
      double half = 0;
      for (int i = 0; i < 6; i++) {
        double weight = stream.weight(i);
        sum += weight * (row[i] / 1e6);
        half += weight / 2;
        if (n == 0) {
          assertThat(weight).isBetween(0.0, 1.0);
        } else if (i < 3) {
          double step = weight - before[i];
          assertThat(Math.abs(step)).isCloseTo(0.001, within(1e-12));
          turns += step * direction[i] < 0 ? 1 : 0;
          direction[i] = Math.signum(step);
        } else {
          assertThat(weight).isEqualTo(before[i]);
        }
        before[i] = weight;
      }
      if (Math.abs(sum - half) > 1e-9) {
        assertThat(row[6]).as("row %d", n).isEqualTo(sum >= half ? 1 : 0);
      }
    }
    // The first step is always upwards.
    int chances = 3 * (ROWS - 2);
    assertThat(turns / (double) chances).isCloseTo(0.1, within(5 * Math.sqrt(0.1 * 0.9 / chances)));
  }

  /** The middle of the cube lies on the plane, so that the classes are as large as each other, wherever it has turned to. */
  @Test
  void shouldHaveClassesOfOneSize() {
    Hyperplane plane = new Hyperplane(10, 20, 0.01, 0.1);
    SyntheticStream stream = SyntheticStream.of(Settings.hyperplane(plane, 0));
    int[] row = new int[11];
    int ones = 0;
    for (int n = 0; n < ROWS; n++) {
      stream.row(n, row);
      ones += row[10];
    }
    assertThat(ones / (double) ROWS).isCloseTo(0.5, within(5 * Math.sqrt(0.25 / ROWS)));
  }

  /**
   * A walk whose direction persists with 1 - s and turns with s: steps k apart correlate by (1 - 2s)^k, so that the mean square of
   * n steps is n (1 - s) / s - (1 - 2s) (1 - (1 - 2s)^n) / (2 s^2).
   */
  @Test
  void shouldWalkAsFarAsAPersistentRandomWalkDoes() {
    int steps = 500;
    double s = 0.1;
    Hyperplane plane = new Hyperplane(1000, 1000, 1, s);
    HyperplaneStream stream = new HyperplaneStream(Settings.hyperplane(plane, 0), plane);
    int[] row = new int[1001];
    stream.row(0, row);
    double[] first = new double[1000];
    for (int i = 0; i < 1000; i++) {
      first[i] = stream.weight(i);
    }
    stream.row(steps, row);
    double squares = 0;
    for (int i = 0; i < 1000; i++) {
      squares += Math.pow(stream.weight(i) - first[i], 2);
    }
    double expected =
        steps * (1 - s) / s - (1 - 2 * s) * (1 - Math.pow(1 - 2 * s, steps)) / (2 * s * s);
    assertThat(squares / 1000).isCloseTo(expected, within(5 * expected * Math.sqrt(2.0 / 1000)));
  }

  @Test
  void shouldFlipTheShareOfLabelsThatIsNoiseAndNothingElse() {
    Hyperplane plane = new Hyperplane(4, 2, 0.001, 0.1);
    SyntheticStream clean = SyntheticStream.of(Settings.hyperplane(plane, 0));
    SyntheticStream noisy = SyntheticStream.of(Settings.hyperplane(plane, 0.05));
    int[] a = new int[5];
    int[] b = new int[5];
    int flipped = 0;
    for (int n = 0; n < ROWS; n++) {
      clean.row(n, a);
      noisy.row(n, b);
      assertThat(b).startsWith(a[0], a[1], a[2], a[3]);
      flipped += a[4] ^ b[4];
    }
    assertThat(flipped / (double) ROWS).isCloseTo(0.05, within(5 * Math.sqrt(0.05 * 0.95 / ROWS)));
  }

  /**
   * The plane of the first row tells the first rows apart, and later ones the worse, the further it has turned: sums of uniform
   * features are nearly normal, so that two planes disagree on the share of rows that their angle is of a half circle.
   */
  @Test
  void shouldLeaveTheFirstPlaneBehindByTheAngleThatItTurns() {
    requireAngleFromTheFirstPlane(new Hyperplane(10, 0, 0, 0), 0, 0);
    requireAngleFromTheFirstPlane(new Hyperplane(10, 10, 0.0002, 0), 0.2, 0.5);
    requireAngleFromTheFirstPlane(new Hyperplane(10, 10, 0.01, 0.01), 0.8, 2);
  }

  private static void requireAngleFromTheFirstPlane(Hyperplane plane, double least, double most) {
    HyperplaneStream stream = new HyperplaneStream(Settings.hyperplane(plane, 0), plane);
    int rows = 5000;
    int[] row = new int[11];
    double[] first = new double[10];
    int wrong = 0;
    double angles = 0;
    for (int n = 0; n < 2 * rows; n++) {
      stream.row(n, row);
      double side = 0;
      double dot = 0;
      double before = 0;
      double now = 0;
      for (int i = 0; i < 10; i++) {
        double weight = stream.weight(i);
        first[i] = n == 0 ? weight : first[i];
        side += first[i] * (row[i] / 1e6 - 0.5);
        dot += first[i] * weight;
        before += first[i] * first[i];
        now += weight * weight;
      }
      if (n >= rows) {
        wrong += (side >= 0 ? 1 : 0) == row[10] ? 0 : 1;
        angles += Math.acos(Math.min(1, dot / Math.sqrt(before * now))) / rows;
      }
    }
    assertThat(angles).isBetween(least, most + 1e-6);
    assertThat(wrong / (double) rows).isCloseTo(angles / Math.PI, within(0.03));
  }
}
