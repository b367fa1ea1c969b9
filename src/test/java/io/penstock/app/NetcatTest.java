package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows sent by plain {@code nc}, as people do. */
class NetcatTest {
  private @TempDir Path folder;

  @Test
  void shouldTrainOnOrRejectEveryRowOfOurOwnThatNetcatSends() throws Exception {
    Path file = Files.writeString(folder.resolve("rows.csv"), TestCsv.rows(1, 20_000) + "1,2\n");

    RunSnapshot end = trainFedByNetcat(file, TestCsv.LEARNING);

    assertThat(end.rows().trained()).isEqualTo(20_000);
    assertThat(end.rows().rejected()).isEqualTo(1);
  }

  @Test
  void shouldTrainOnOrRejectEveryRowOfElec2ThatNetcatSends() throws Exception {
    Path elec2 = folder.resolve("electricity.csv");
    try (InputStream in =
        new GZIPInputStream(Files.newInputStream(Runs.shared("elec2/electricity.csv.gz")))) {
      Files.copy(in, elec2);
    }

    RunSnapshot end =
        trainFedByNetcat(
            elec2,
            """
            schema:
              label: { field: class, classes: [DOWN, UP] }
              fields: { date: number, day: number, period: number, nswprice: number,
                        nswdemand: number, vicprice: number, vicdemand: number, transfer: number }
            features: [ standardize: { fields: number } ]
            batch: { size: 16 }
            model: { logistic: { initial: zero } }
            optimizer: { adam: { learningRate: 0.01 } }
            """);

    assertThat(end.rows().trained() + end.rows().rejected()).isEqualTo(45_312);
    assertThat(end.cumulative().accuracy()).isGreaterThan(0.75);
  }

  private static RunSnapshot trainFedByNetcat(Path file, String learning) throws Exception {
    List<String> nc = netcat();
    String yaml =
        "source: { tcp: { port: 0, endAfterConnections: 1 } }%n%shttp: none%n".formatted(learning);
    try (Run run = Runs.of(yaml, new Rejected(), 0)) {
      run.start();
      Process process =
          new ProcessBuilder(
                  Stream.concat(
                          nc.stream(), Stream.of("127.0.0.1", Integer.toString(Runs.port(run))))
                      .toList())
              .redirectInput(file.toFile())
              .redirectErrorStream(true)
              .start();
      String said = process.inputReader().readAllAsString();
      assertThat(process.waitFor()).as("nc: %s", said).isZero();
      return Runs.end(run);
    }
  }

  /** The command that ends when its input does: the netcats differ in how they are told. */
  private static List<String> netcat() throws InterruptedException {
    try {
      Process help = new ProcessBuilder("nc", "-h").redirectErrorStream(true).start();
      String text = help.inputReader().readAllAsString();
      help.waitFor();
      return text.contains("-N") ? List.of("nc", "-N") : List.of("nc", "-q", "1");
    } catch (IOException e) {
      Assumptions.abort("there is no nc here: " + e.getMessage());
      throw new IllegalStateException(e);
    }
  }
}
