package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HistogramTest {
  private static final long SEED = 5;

  @Test
  void shouldFindQuantilesWithinAThirtySecond() {
    Random random = new Random(SEED);
    Histogram histogram = new Histogram();
    long[] values = new long[10_001];
    for (int i = 0; i < values.length; i++) {
      values[i] = (long) Math.exp(random.nextDouble() * 40);
      histogram.add(values[i], 1);
    }
    Arrays.sort(values);
    for (double q : new double[] {0.01, 0.5, 0.9, 0.99, 1}) {
      double exact = values[(int) Math.ceil(q * values.length) - 1];
      assertThat(histogram.quantile(q))
          .as("quantile %s, seed %d", q, SEED)
          .isCloseTo(exact, within(Math.max(0.5, exact / 32)));
    }
  }

  @Test
  void shouldTakeAnyDuration() {
    Histogram histogram = new Histogram();
    assertThat(histogram.quantile(0.5)).isNaN();
    histogram.add(-1, 2);
    assertThat(histogram.quantile(0.5)).isZero();
    histogram.add(Long.MAX_VALUE, 4);
    assertThat(histogram.quantile(0.5)).isCloseTo(Long.MAX_VALUE, within(Long.MAX_VALUE / 32.0));
    assertThat(histogram.total()).isEqualTo(6);
  }
}
