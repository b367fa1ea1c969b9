package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckTest {
  private static final List<Engine.DeviceReport> CPU =
      List.of(new Engine.DeviceReport("cpu", true, "AVX2"));

  private final Capture capture = new Capture();

  @Test
  void shouldSayThatARunCanStartAndBeRepeatedToTheBit() {
    assertThat(check(FakeEngine.config(FakeEngine.GENERATOR, "", 0.01, 0, Duration.ZERO))).isZero();

    assertThat(capture.out())
        .contains("ok       device: auto takes cpu: AVX2")
        .contains("ok       http: 127.0.0.1, any free port")
        .contains("ok       reproducible: yes")
        .endsWith("The run can start.\n");
  }

  @Test
  void shouldSayWhyARunCannotBeRepeated() {
    check(FakeEngine.config(FakeEngine.tcp(0, 64), "", 0.01, -1, Duration.ofMillis(20)));

    assertThat(capture.out())
        .contains("reproducible: no: batch.maxDelay is 20 ms")
        .contains("source.tcp.maxConnections is 64")
        .contains("promise: every row accepted is trained on once while the process lives");
  }

  @Test
  void shouldFindPortsInUse() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();

      assertThat(check(FakeEngine.config(FakeEngine.tcp(port, 1), "", 0.01, -1, Duration.ZERO)))
          .isEqualTo(2);

      assertThat(capture.out())
          .contains("PROBLEM  source.tcp.port: cannot listen on 127.0.0.1:" + port)
          .endsWith("The run cannot start: 1 problem.\n");
    }
  }

  @Test
  void shouldFindAMissingFileAndDeadLettersThatCannotBeWritten(@TempDir Path folder)
      throws IOException {
    Path file = Files.writeString(folder.resolve("f"), "");
    SourceConfig.File missing =
        new SourceConfig.File("" + folder.resolve("rows.csv"), FakeEngine.CSV, 100, 1);

    assertThat(
            check(
                FakeEngine.config(
                    missing, "" + file.resolve("below/dead"), 0.01, -1, Duration.ZERO)))
        .isEqualTo(2);

    assertThat(capture.out())
        .contains("PROBLEM  source.file: no such file: " + folder.resolve("rows.csv"))
        .contains("PROBLEM  errors.deadLetters: cannot be written: " + file.resolve("below/dead"))
        .contains("2 problems");
  }

  @Test
  void shouldSayWhereARollbackCannotBeOrLosesRows(@TempDir Path folder) {
    String tcp =
        """
        source: { tcp: { port: 0 } }
        schema: { label: { field: y, type: number }, fields: { x: number } }
        model: linear
        http: none
        """;
    String checkpoints = "checkpoint: { directory: '%s' }%n".formatted(folder);
    check(Config.parse(tcp));
    assertThat(capture.out()).doesNotContain("rollbackAfter");
    check(Config.parse(tcp, "errors.lossSpike=6"));
    assertThat(capture.out()).contains("errors.rollbackAfter: cannot be: there is nothing");
    check(Config.parse(tcp + checkpoints, "errors.lossSpike=6"));
    assertThat(capture.out())
        .contains("errors.rollbackAfter: what was trained on since the checkpoint is lost then");
  }

  @Test
  void shouldSayThatWhatAHostMeasuresIsLostWithTheProcessAndNeverTheSameAgain(
      @TempDir Path folder) {
    String host = "source: { host: { every: 100ms } }\nmodel: linear\nhttp: none\n";
    String checkpoints = "checkpoint: { directory: '%s' }%n".formatted(folder);

    assertThat(check(Config.parse(host, "batch.maxDelay=none"))).isZero();
    assertThat(capture.out())
        .contains("source: this machine, every 100 ms, without end")
        .contains("with the process, weights and rows in flight are lost")
        .contains("reproducible: no: what a host measures");
    assertThat(check(Config.parse(host + checkpoints, "errors.lossSpike=6"))).isZero();
    assertThat(capture.out())
        .contains("with the process, rows since the last checkpoint are lost")
        .contains("these rows cannot be had again\n");
  }

  @Test
  void shouldNameTheReasonAgainstADevice() {
    Config config = FakeEngine.config(FakeEngine.GENERATOR, "", 0.01, -1, Duration.ZERO);

    new Check(config, List.of(new Engine.DeviceReport("cpu", false, "no AVX2")))
        .print(capture.terminal(0).out());

    assertThat(capture.out()).contains("PROBLEM  device: none is usable");
  }

  private int check(Config config) {
    return new Check(config, CPU).print(capture.terminal(0).out());
  }
}
