package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.config.ConfigReader;
import io.penstock.trainer.model.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example for elec2 as it comes with Penstock: it was fixed on the first 2,000 rows, and is judged by the others. */
class Elec2Test {
  private static final int FIXED_ON = 2_000;

  /** Row-by-row RMSProp without lags, over all rows: {@code YARDSTICKS.md}, section 7. */
  private static final double YARDSTICK = 0.918;

  @TempDir Path folder;
  private List<String> rows = List.of();
  private String header = "";

  @BeforeEach
  void read() {
    List<String> lines = Runs.lines(Runs.shared("elec2/electricity.csv.gz"));
    header = lines.getFirst();
    rows = lines.subList(1, lines.size());
  }

  private Metrics train(List<String> lines) throws IOException {
    Path file = folder.resolve("electricity.csv");
    Files.writeString(file, header + "\n" + String.join("\n", lines) + "\n");
    Config config =
        ConfigReader.read(
            Path.of(System.getProperty("penstock.home"), "config/examples/elec2.yaml"),
            List.of("source.file.path=" + file));
    try (Run run = new Wiring().run(config, new RunOptions(0, Beginning.FRESH, new Rejected()))) {
      run.start();
      RunSnapshot end = Runs.end(run);
      assertThat(end.rows().trained()).isEqualTo(lines.size());
      return end.cumulative();
    }
  }

  private static String label(String row) {
    return row.substring(row.lastIndexOf(',') + 1);
  }

  /** How often a label is that of the row before, from row {@code from} on. */
  private static double noChange(List<String> rows, int from) {
    int same = 0;
    for (int i = from; i < rows.size(); i++) {
      same += label(rows.get(i)).equals(label(rows.get(i - 1))) ? 1 : 0;
    }
    return same / (double) (rows.size() - from);
  }

  @Test
  void shouldBeatTheYardstickOnTheRowsThatItWasNotFixedOn() throws IOException {
    double first = train(rows.subList(0, FIXED_ON)).accuracy() * FIXED_ON;
    double all = train(rows).accuracy() * rows.size();

    double rest = (all - first) / (rows.size() - FIXED_ON);
    double noChange = noChange(rows, FIXED_ON);
    assertThat(rest)
        .isGreaterThan(YARDSTICK)
        .as("as the guide says")
        .isCloseTo(0.9402, within(1e-3));
    assertThat((rest - noChange) / (1 - noChange)).as("Kappa-T").isPositive();
  }

  /** Were a row's own label among its features, this could not happen. */
  @Test
  void shouldFallToTheBaselinesWhereLabelsAreDealtOutAnew() throws IOException {
    List<String> labels = new ArrayList<>(rows.stream().map(Elec2Test::label).toList());
    Collections.shuffle(labels, new Random(1));
    List<String> dealt = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      String row = rows.get(i);
      dealt.add(row.substring(0, row.lastIndexOf(',') + 1) + labels.get(i));
    }

    Metrics metrics = train(dealt);

    double majority = 26_075 / 45_312.0;
    assertThat(metrics.model().accuracy()).isLessThan(majority + 0.005).isGreaterThan(0.49);
    assertThat(metrics.noChange().accuracy())
        .isCloseTo(majority * majority + (1 - majority) * (1 - majority), within(0.01));
  }
}
