package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.app.RunSnapshot.Stage;
import java.util.List;
import org.junit.jupiter.api.Test;

class BottleneckTest {

  @Test
  void shouldNameTheBusiestStageAndWhatItsRemovalWouldWin() {
    Bottleneck found =
        Bottleneck.of(
            List.of(
                FakeRun.stage("ingest", 3, 6),
                FakeRun.stage("operators", 2, 5),
                FakeRun.stage("device", 9, 0)),
            10);

    assertThat(found.stage()).isEqualTo("device");
    assertThat(found.gain()).isCloseTo(3, within(1e-9));
    assertThat(found.sentence())
        .isEqualTo(
            "device, busy 90% of the time. Without this limit the run would be at most 3.0 times as fast; then ingest is the limit");
  }

  @Test
  void shouldBlameTheSourceWhereNoStageIsBusy() {
    Bottleneck found =
        Bottleneck.of(List.of(FakeRun.stage("ingest", 1, 0), FakeRun.stage("device", 2, 0)), 10);

    assertThat(found.stage()).isEqualTo("source");
    assertThat(found.sentence())
        .isEqualTo(
            "the source: it sends no faster. The busiest stage, device, was busy 20% of the time and could take up to 5.0 times as much");
  }

  @Test
  void shouldShareTheBusyTimeOfAStageAmongItsThreads() {
    Stage operators = new Stage("operators", 4, 12_000_000_000L, 0, 0, 0, 0);

    Bottleneck found = Bottleneck.of(List.of(operators, FakeRun.stage("device", 6, 0)), 10);

    assertThat(found.stage()).isEqualTo("device");
    assertThat(found.gain()).isCloseTo(2, within(1e-9));
  }

  @Test
  void shouldHaveAVerdictBeforeAnythingHappened() {
    assertThat(Bottleneck.of(List.of(), 0).sentence()).isEqualTo("the source: no stage was busy");
    assertThat(Bottleneck.of(List.of(FakeRun.stage("device", 0, 0)), 0).stage())
        .isEqualTo("source");
  }
}
