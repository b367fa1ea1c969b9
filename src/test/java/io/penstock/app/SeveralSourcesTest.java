package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.ingest.netty.Feed;
import io.penstock.trainer.cpu.CpuDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose rows come from more than one place. */
class SeveralSourcesTest {
  private static final int MORNING_ROWS = 40_000;
  private static final int EVENING_ROWS = 25_000;

  private @TempDir Path folder;

  @BeforeEach
  void writeFiles() throws IOException {
    Files.writeString(folder.resolve("morning.csv"), TestCsv.rows(1, MORNING_ROWS));
    Files.writeString(folder.resolve("evening.csv"), TestCsv.rows(2, EVENING_ROWS));
  }

  private String files() {
    return """
        sources:
          morning: { file: { path: '%1$s/morning.csv' } }
          evening: { file: { path: '%1$s/evening.csv' } }
        batch: { size: 64, maxDelay: none }
        http: none
        """
            .formatted(folder)
        + TestCsv.LEARNING;
  }

  @Test
  void shouldTrainOnTheRowsOfAllOnce() {
    Rejected rejected = new Rejected();
    RunSnapshot end;
    try (Run run =
        Runs.of(files(), rejected, 0, "sources.live.tcp={port: 0, endAfterConnections: 1}")) {
      assertThat(run.snapshot().source())
          .startsWith("evening (file ")
          .contains(", live (tcp://127.0.0.1:")
          .contains(", morning (file ");
      run.start();
      String live = run.snapshot().source().replaceAll(".*127\\.0\\.0\\.1:(\\d+).*", "$1");
      Feed.to("127.0.0.1", Integer.parseInt(live))
          .file(folder.resolve("evening.csv"), true)
          .block(Runs.LONG);
      end = Runs.end(run);
    }
    assertThat(end.failure()).isNull();
    assertThat(end.rows().trained()).isEqualTo(MORNING_ROWS + 2L * EVENING_ROWS);
    assertThat(end.cumulative().accuracy()).isGreaterThan(0.9);
  }

  @Test
  void shouldGoOnWithEachWhereItWas() {
    RunSnapshot whole = Runs.train(files());
    String checkpointed =
        files() + "checkpoint: { directory: '%s/state', every: none }%n".formatted(folder);
    RunSnapshot stopped;
    try (Run run = run(checkpointed)) {
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 5000, "trains");
      run.stop();
      stopped = Runs.end(run);
    }
    assertThat(stopped.rows().trained()).isLessThan(MORNING_ROWS + EVENING_ROWS);
    Inspection saved = Inspection.of(folder.resolve("state"), "inspect");
    assertThat(saved.positions()).extracting(saved::source).containsExactly("evening", "morning");
    RunSnapshot end;
    try (Run run = run(checkpointed)) {
      run.start();
      end = Runs.end(run);
    }
    assertThat(end.outcome().ledger())
        .as("each row once, in whatever order")
        .isEqualTo(whole.outcome().ledger());
  }

  private static Run run(String yaml) {
    return TrainingRun.of(
        Config.parse(yaml),
        new RunOptions(0, Beginning.RESUMED, new Rejected()),
        new CpuDevice(),
        Disk.REAL);
  }

  @Test
  void shouldNameTheSourceOfARejectedRow() throws Exception {
    Files.writeString(folder.resolve("morning.csv"), TestCsv.HEADER + "0.1,1.5,zwei,0,city1,low\n");
    Path letters = folder.resolve("dead.jsonl");
    String yaml = files() + "errors: { deadLetters: '%s', maxRate: 100%% }%n".formatted(letters);
    Path file = Files.writeString(folder.resolve("run.yaml"), yaml);
    Console.start("train", file.toString()).outAfter(ExitCode.OK);
    assertThat(Files.readString(letters)).contains("\"source\":\"morning\"").contains("zwei");
  }
}
