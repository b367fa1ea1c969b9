package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.trainer.cpu.CpuDevice;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs over each of the synthetic streams. */
class SyntheticRunTest {
  private static final long ROWS = 300_000;
  private static final String YAML =
      """
      source: { generator: { stream: sea, records: 300_000, seed: 5 } }
      batch: { size: 128, maxDelay: none }
      model: { mlp: { hidden: [32] } }
      optimizer: { adam: { learningRate: 0.01 } }
      http: none
      """;

  private @TempDir Path folder;

  /** The least accuracy, or for a number the most error: about half-way from knowing nothing to what the stream allows. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sea | 0.9",
        "{ hyperplane: { drifting: 10 } } | 0.8",
        "{ rbf: { classes: 3 } } | 0.6",
        "led | 0.6",
        "friedman | 2"
      })
  void shouldLearnAndGoOnAfterAStopAsIfItHadNotBeen(String stream, double least) {
    String set = "source.generator.stream=" + stream;
    RunSnapshot whole = Runs.train(YAML, set);
    assertThat(whole.rows().trained()).isEqualTo(ROWS);
    if (whole.cumulative().ofClasses()) {
      assertThat(whole.cumulative().accuracy()).isGreaterThan(least);
    } else {
      assertThat(whole.cumulative().mae()).isLessThan(least);
    }

    String kept = YAML + "checkpoint: { directory: '%s', every: none }%n".formatted(folder);
    long stopped;
    try (Run run = run(kept, set)) {
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 5000, "trains");
      run.stop();
      stopped = Runs.end(run).rows().trained();
    }
    assertThat(stopped).isLessThan(ROWS);
    try (Run run = run(kept, set)) {
      run.start();
      RunSnapshot end = Runs.end(run);
      assertThat(end.saved().resumedRows()).isEqualTo(stopped);
      assertThat(end.outcome()).isEqualTo(whole.outcome());
      assertThat(end.cumulative()).isEqualTo(whole.cumulative());
    }
  }

  private static Run run(String yaml, String set) {
    return TrainingRun.of(
        Config.parse(yaml, set),
        new RunOptions(0, Beginning.RESUMED, new Rejected()),
        new CpuDevice(),
        Disk.REAL);
  }
}
