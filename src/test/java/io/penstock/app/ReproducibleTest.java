package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same rows and the same seed give the same weights, to the bit. */
class ReproducibleTest {
  private static final String RUN =
      """
      batch: { size: 64, maxDelay: none }
      http: none
      errors: { maxRate: 100% }
      """;

  private @TempDir Path folder;
  private Path file = Path.of("rows.csv");
  private String fromFile = "";

  @BeforeEach
  void writeRows() throws IOException {
    file = folder.resolve("rows.csv");
    // A row that is rejected takes its number with it, wherever it comes from.
    Files.writeString(file, TestCsv.rows(1, 9_000) + "a,b\n" + TestCsv.rows(2, 3_000));
    fromFile = config("{ file: { path: '" + file + "' } }");
  }

  private static String config(String source) {
    return "source: " + source + "\n" + TestCsv.LEARNING + RUN;
  }

  @Test
  void shouldTrainTheSameWeightsTwiceAndOthersFromAnotherSeed() {
    RunSnapshot first = Runs.train(fromFile);
    RunSnapshot second = Runs.train(fromFile);

    assertThat(first.rows().trained()).isEqualTo(12_000);
    assertThat(first.cumulative().accuracy()).isGreaterThan(0.85);
    assertThat(second.outcome()).isEqualTo(first.outcome());
    assertThat(second.cumulative()).isEqualTo(first.cumulative());
    assertThat(second.window()).isEqualTo(first.window());
    assertThat(Runs.train(fromFile, "seed=43").outcome().weightsSha256())
        .isNotEqualTo(first.outcome().weightsSha256());
  }

  @Test
  void shouldTrainTheSameWeightsAtAnyParallelism() {
    RunSnapshot one = Runs.train(fromFile, "pipeline.parallelism=1");
    for (String parallelism : new String[] {"2", "4", "5"}) {
      RunSnapshot more = Runs.train(fromFile, "pipeline.parallelism=" + parallelism);
      assertThat(more.outcome()).as("parallelism %s", parallelism).isEqualTo(one.outcome());
      assertThat(more.cumulative()).isEqualTo(one.cumulative());
    }
  }

  @Test
  void shouldTrainTheSameWeightsWhateverTheSizesOfRingAndPool() {
    assertThat(Runs.train(fromFile, "pipeline.slots=2", "pipeline.memory=1MB").outcome())
        .isEqualTo(Runs.train(fromFile, "pipeline.slots=128").outcome());
  }

  @Test
  void shouldTrainTheSameWeightsFromAFileAndOverTcpInRandomChunks() throws Exception {
    RunSnapshot file = Runs.train(fromFile);
    for (int seed = 1; seed <= 5; seed++) {
      RunSnapshot tcp = trainOverTcpInChunks(seed);
      assertThat(tcp.outcome()).as("chunks of seed %d", seed).isEqualTo(file.outcome());
      assertThat(tcp.cumulative()).isEqualTo(file.cumulative());
      assertThat(tcp.rows().rejected()).isEqualTo(file.rows().rejected()).isEqualTo(2);
    }
  }

  /** Two rows are rejected: the one with two values, and the second header. */
  private RunSnapshot trainOverTcpInChunks(int seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] bytes = Files.readAllBytes(file);
    String yaml = config("{ tcp: { port: 0, endAfterConnections: 1 } }");
    try (Run run = Runs.of(yaml, new Rejected(), 0);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), Runs.port(run))) {
      run.start();
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      for (int at = 0; at < bytes.length; ) {
        int length = Math.min(random.nextInt(1, 2 << random.nextInt(16)), bytes.length - at);
        out.write(bytes, at, length);
        at += length;
      }
      socket.shutdownOutput();
      return Runs.end(run);
    }
  }

  @Test
  void shouldTrainTheSameWeightsInAnInterpretingJvm() throws Exception {
    Path few = folder.resolve("few.csv");
    Files.writeString(few, TestCsv.rows(3, 600));
    String yaml = config("{ file: { path: '" + few + "' } }");
    Path config = Files.writeString(folder.resolve("few.yaml"), yaml);
    Path report = folder.resolve("report.json");

    Process process =
        ChildJvm.start(
            Penstock.class,
            List.of("-Xint"),
            "train",
            config.toString(),
            "--report",
            report.toString());

    assertThat(process.inputReader(StandardCharsets.UTF_8).readAllAsString())
        .contains("Trained on 600 rows");
    assertThat(process.waitFor()).isZero();
    assertThat(Files.readString(report))
        .contains(Runs.train(yaml).outcome().weightsSha256())
        .contains("\"records\" : 600");
  }
}
