package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MetricHistoryTest {

  @Test
  void shouldKeepAPointForEachWindow() {
    MetricHistory history = new MetricHistory(1000);
    for (long row = 0; row <= 5000; row += 100) {
      history.observe(row, (double) row);
    }

    assertThat(history.size()).isEqualTo(5);
    assertThat(history.row(0)).isEqualTo(1000);
    assertThat(history.value(4)).isEqualTo(5000.0);
    assertThat(history.sparkline()).isEqualTo("▁▃▅▆█");
  }

  @Test
  void shouldSpanAnyRunInFewPointsInOrder() {
    MetricHistory history = new MetricHistory(10);
    for (long row = 10; row <= 1_000_000; row += 10) {
      history.observe(row, (double) row);
    }

    assertThat(history.size()).isBetween(32, 64);
    for (int i = 1; i < history.size(); i++) {
      assertThat(history.row(i)).isGreaterThan(history.row(i - 1));
      assertThat(history.value(i)).isEqualTo((double) history.row(i));
    }
    assertThat(history.row(history.size() - 1)).isGreaterThan(900_000);
  }

  @Test
  void shouldForgetWhatARunThatWentBackHasNotSeen() {
    MetricHistory history = new MetricHistory(1000);
    for (long row = 0; row <= 5000; row += 100) {
      history.observe(row, (double) row);
    }
    history.observe(2500, 7);
    history.observe(3000, 8);

    assertThat(history.size()).isEqualTo(3);
    assertThat(history.row(1)).isEqualTo(2000);
    assertThat(history.value(2)).isEqualTo(8);
  }

  @Test
  void shouldLeaveOutWhatIsNotKnown() {
    MetricHistory history = new MetricHistory(1);
    history.observe(5, Double.NaN);

    assertThat(history.size()).isZero();
    assertThat(history.sparkline()).isEmpty();
  }
}
