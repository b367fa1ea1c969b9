package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.trainer.cpu.CpuDevice;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that learn from the machine that runs the tests. */
class HostRunTest {
  private static final String YAML =
      """
      source: { host: { every: 20ms } }
      features: [ standardize: { fields: number } ]
      model: linear
      http: none
      """;

  private @TempDir Path folder;

  @Test
  void shouldTrainOnAsManyRowsAsAreAskedForAndOnNoneTwice() {
    RunSnapshot end = Runs.train(YAML, "source.host.records=4");

    assertThat(end.rows().trained()).isEqualTo(4);
    assertThat(end.source()).isEqualTo("this machine");
    assertThat(end.cumulative().ofClasses()).isFalse();
    assertThat(end.cumulative().mae()).isNotNegative();
  }

  @Test
  void shouldKeepWhatItLearntAndGoOnWithNewRows() throws InterruptedException {
    String kept = YAML + "checkpoint: { directory: '%s', every: none }%n".formatted(folder);
    long stopped;
    try (Run run = run(kept)) {
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() >= 3, "trains");
      run.stop();
      assertThat(run.awaitEnd(Runs.LONG)).isTrue();
      Runs.await(
          () -> run.snapshot().memory().poolHeldBytes() == 0, "the tick in flight ends as well");
      stopped = run.snapshot().rows().trained();
    }
    try (Run run = run(kept, "source.host.records=" + (stopped + 3))) {
      run.start();
      RunSnapshot end = Runs.end(run);
      assertThat(end.saved().resumedRows()).isEqualTo(stopped);
      assertThat(end.rows().trained()).isEqualTo(stopped + 3);
    }
  }

  private static Run run(String yaml, String... sets) {
    return TrainingRun.of(
        Config.parse(yaml, sets),
        new RunOptions(0, Beginning.RESUMED, new Rejected()),
        new CpuDevice(),
        Disk.REAL);
  }
}
