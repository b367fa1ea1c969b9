package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.RunSnapshot.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ReportWriterTest {
  private static final RunSnapshot RUN = FakeRun.snapshot(Phase.ENDED, 25_600, 2);

  @Test
  void shouldHoldEveryKeyThatIsPromised() {
    JsonNode report = ReportWriter.json(RUN);

    assertThat(report.propertyNames())
        .containsExactly(
            "records",
            "rejected",
            "skipped",
            "leftOut",
            "lost",
            "notTrained",
            "batches",
            "seconds",
            "recordsPerSecond",
            "prequential",
            "labelDelay",
            "step",
            "freshness",
            "stages",
            "rollbacks",
            "bottleneck",
            "copy",
            "allocatedBytesPerRecord",
            "ledger",
            "weightsSha256",
            "device",
            "version");
    assertThat(report.get("recordsPerSecond").asDouble()).isEqualTo(2560);
    assertThat(report.at("/step/p99Micros").asDouble()).isEqualTo(140);
    assertThat(report.at("/freshness/p50Millis").asDouble()).isEqualTo(3.5);
    assertThat(report.at("/stages/0").toString())
        .isEqualTo("{\"name\":\"ingest\",\"busy\":0.3,\"blocked\":0.6}");
    assertThat(report.get("bottleneck").asString()).isEqualTo("device");
    assertThat(report.at("/ledger/trained/rows").asLong()).isEqualTo(25_600);
  }

  @Test
  void shouldLeaveOutMetricsThatDoNotApply() {
    JsonNode prequential = ReportWriter.json(RUN).get("prequential");

    assertThat(prequential.propertyNames())
        .containsExactly(
            "accuracy",
            "precision",
            "recall",
            "f1",
            "auc",
            "prAuc",
            "calibrationError",
            "logLoss",
            "aucError",
            "prAucError",
            "kappa",
            "kappaT",
            "noChange",
            "majority",
            "confusion",
            "window");
    assertThat(prequential.get("noChange").propertyNames())
        .containsExactly("accuracy", "precision", "recall", "f1");
    assertThat(prequential.at("/majority/logLoss").asDouble()).isEqualTo(0.63);
    assertThat(prequential.get("confusion").toString())
        .isEqualTo("[[15000.0,2000.0],[1274.0,7326.0]]");
    assertThat(prequential.at("/window/accuracy").asDouble()).isEqualTo(0.9312);
  }

  @Test
  void shouldWriteNumbersThatAreNotKnownAsNull() {
    assertThat(ReportWriter.json(RUN).at("/copy/overlap").isNull()).isTrue();
  }

  @Test
  void shouldReplaceTheReportBeforeInOneMove(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("r.json"), "old");

    new ReportWriter(file).write(RUN);

    assertThat(JsonMapper.shared().readTree(Files.readString(file)).get("records").asLong())
        .isEqualTo(25_600);
    assertThat(folder).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void shouldRefuseAFolder(@TempDir Path folder) {
    assertThatThrownBy(() -> new ReportWriter(folder))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("is a folder; name a file");
  }
}
