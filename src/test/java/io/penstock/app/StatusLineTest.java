package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunSnapshot.Phase;
import org.junit.jupiter.api.Test;

class StatusLineTest {
  private static final RunSnapshot RUNNING = FakeRun.snapshot(Phase.RUNNING, 100_000, 3);

  private final Capture capture = new Capture();

  @Test
  void shouldPrintALineEveryFewSecondsWhereThereIsNoTerminal() {
    StatusLine status = status(0);
    for (int tenths = 0; tenths <= 101; tenths++) {
      status.update(tenths * 100_000_000L, RUNNING);
    }
    status.end();

    assertThat(capture.err().lines()).hasSize(2);
    assertThat(capture.err().lines().toList().getFirst())
        .isEqualTo(
            "100,000 rows | 10.0 k rows/s | accuracy 0.9312 (no-change 0.5600) | loss 0.2500 | fresh 3.5 ms | ring 3/8 | limit device | rejected 3");
  }

  @Test
  void shouldWriteOneLineOverAFewTimesASecondOnATerminal() {
    StatusLine status = status(200);
    for (int i = 0; i < 10; i++) {
      status.update(i * 100_000_000L, RUNNING);
    }
    status.end();

    assertThat(capture.err()).endsWith("\n");
    assertThat(capture.err().strip()).doesNotContain("\n");
    assertThat(capture.err().split("\r", -1)).as("0, 0.3, 0.6 and 0.9 s").hasSize(5);
  }

  @Test
  void shouldNeverBeAsWideAsTheTerminal() {
    status(40).update(0, RUNNING);

    assertThat(capture.err().replace("\r", "").replace("\u001b[K", "")).hasSize(39);
  }

  @Test
  void shouldShowTheRateSinceTheLineBefore() {
    StatusLine status = status(200);
    status.update(0, FakeRun.snapshot(Phase.RUNNING, 100, 0));
    RunSnapshot later = FakeRun.snapshot(Phase.RUNNING, 30_100, 0);
    status.update(1_000_000_000L, after(later, 12));

    assertThat(capture.err()).contains("| 15.0 k rows/s |");
  }

  @Test
  void shouldTellWhereToSendWhileNothingCame() {
    status(80).update(0, FakeRun.snapshot(Phase.RUNNING, 0, 0));

    assertThat(capture.err()).contains("waiting for rows from tcp://127.0.0.1:9000");
  }

  private static RunSnapshot after(RunSnapshot run, double seconds) {
    return new RunSnapshot(
        run.state(),
        run.source(),
        run.device(),
        seconds,
        run.rows(),
        run.batches(),
        run.loss(),
        run.cumulative(),
        run.window(),
        run.labelDelay(),
        run.stepMicros(),
        run.freshnessMillis(),
        run.stages(),
        run.memory(),
        run.copy(),
        run.outcome(),
        run.setbacks(),
        run.saved(),
        run.refused(),
        null);
  }

  private StatusLine status(int columns) {
    return new StatusLine(capture.terminal(0).err(), columns);
  }
}
