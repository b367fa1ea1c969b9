package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.ConfigReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example for elec2, as it comes with Penstock, on the rows that it was not fixed on. */
class Elec2Test {
  @Test
  void probe(@TempDir Path folder) throws IOException {
    List<String> lines = Runs.lines(Runs.shared("elec2/electricity.csv.gz"));
    int rows = Integer.getInteger("elec2.rows", 2000);
    Path file = folder.resolve("electricity.csv");
    Files.write(file, lines.subList(0, rows + 1));
    String[] lags = {
      "",
      "[class]",
      "[nswprice]",
      "[nswprice, class]",
      "[nswprice, nswdemand, class]",
      "[number, class]"
    };
    String[] optimizers = System.getProperty("elec2.optimizers").split(";");
    for (String lag : lags) {
      for (String optimizer : optimizers) {
        List<String> sets =
            new ArrayList<>(List.of("source.file.path=" + file, "optimizer=" + optimizer));
        sets.add(
            lag.isEmpty()
                ? "features=[standardize: { fields: number, updateEvery: 1 }]"
                : "features=[lag: { fields: "
                    + lag
                    + " }, standardize: { fields: [number, '*~*'], updateEvery: 1 }]");
        var config =
            ConfigReader.read(
                Path.of(System.getProperty("penstock.home"), "config/examples/elec2.yaml"), sets);
        try (Run run =
            new Wiring().run(config, new RunOptions(0, Beginning.FRESH, new Rejected()))) {
          run.start();
          var c = Runs.end(run).cumulative();
          System.err.println("PROBE " + lag + " | " + optimizer + " | " + c);
        }
      }
    }
    assertThat(rows).isPositive();
  }
}
