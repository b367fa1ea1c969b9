package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a newcomer runs first, with fewer rows: the drift half-way, and the way back, must be there to see. */
class QuickstartTest {
  private @TempDir Path folder;

  @Test
  void shouldShowTheDriftAndTheRecovery() throws Exception {
    Path quickstart =
        Path.of(System.getProperty("penstock.home", ".."), "config", "quickstart.yaml");
    Assumptions.assumeTrue(Files.exists(quickstart), "not run from the sources: " + quickstart);
    Path report = folder.resolve("report.json");

    Console train =
        Console.start(
            "train",
            quickstart.toString(),
            "--report",
            report.toString(),
            "--set",
            "source.tcp.feed.generator.records=160_000",
            "--set",
            "source.tcp.feed.generator.drift.at=80_000",
            "--set",
            "source.tcp.feed.rate=30_000",
            "--set",
            "evaluation.window=4_000",
            "--set",
            "http.port=0");
    String summary = train.outAfter(ExitCode.OK);

    assertThat(summary).contains("Trained on 160,000 rows");
    List<Integer> levels = history(summary);
    int half = levels.size() / 2;
    int dip = Collections.min(levels.subList(half, levels.size()));
    assertThat(Collections.max(levels.subList(0, half + 1)))
        .as("before the drift: %s", summary)
        .isGreaterThanOrEqualTo(dip + 2);
    assertThat(levels.getLast()).as("at the end: %s", summary).isGreaterThanOrEqualTo(dip + 2);
    JsonNode prequential =
        JsonMapper.shared().readTree(Files.readString(report)).get("prequential");
    assertThat(prequential.get("window").get("accuracy").asDouble())
        .as("the window has forgotten the drift, the whole has not")
        .isGreaterThan(prequential.get("accuracy").asDouble() + 0.05);
  }

  /** Heights of the bars that the summary draws of the windowed accuracy, a bar each so many rows. */
  private static List<Integer> history(String summary) {
    String bars =
        summary
            .lines()
            .dropWhile(line -> !line.startsWith("accuracy in the window over the run: "))
            .skip(1)
            .findFirst()
            .orElseThrow();
    return bars.chars().mapToObj("▁▂▃▄▅▆▇█"::indexOf).toList();
  }
}
