package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.trainer.model.Metrics;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricTableTest {
  @Test
  void shouldPutTheAucFirstWhereOneOfTwoClassesIsRare() {
    assertThat(MetricTable.inShort(FakeRun.RECENT)).isEqualTo("accuracy 0.9312 (no-change 0.5600)");
    assertThat(MetricTable.inShort(FakeRun.SKEWED))
        .isEqualTo("AUC 0.8634, accuracy 0.9500 (majority 0.9332)");
  }

  @Test
  void shouldHaveAPlaceForEveryNumber() {
    assertThat(MetricTable.lines(FakeRun.GOOD, FakeRun.RECENT, 0, List.of("a", "b")))
        .hasSize(1 + 23 + 1 + 3)
        .allSatisfy(line -> assertThat(line.length()).isLessThan(100));
    assertThat(MetricTable.lines(Metrics.NONE, Metrics.NONE, 0, List.of())).hasSize(1);
  }
}
