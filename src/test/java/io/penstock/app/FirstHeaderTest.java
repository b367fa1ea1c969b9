package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.RunSnapshot.Stage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs whose schema only the first sender's header tells. */
@Timeout(60)
class FirstHeaderTest {
  private static final String PATTERNS =
      """
      source: { tcp: { port: 0, endAfterConnections: 2, format: { csv: { header: true } } } }
      schema:
        label: { field: y, type: class, classes: 2 }
        fields: { "w*": number }
      model: logistic
      http: none
      """;

  @Test
  void shouldTrainOnEveryRowOfTheFirstSenderAndTheNext() throws Exception {
    Rejected rejected = new Rejected();
    try (Run run = Runs.of(PATTERNS, rejected, 0)) {
      run.start();
      send(run, "y,w1,w2\n0,1,2\n1,2,3\n");
      send(run, "w2,w1,y\n1,2,0\n");
      RunSnapshot end = Runs.end(run);
      assertThat(rejected.rows()).isEmpty();
      assertThat(end.state()).isEqualTo(Phase.ENDED);
      assertThat(end.rows().trained()).isEqualTo(3);
    }
  }

  @Test
  void shouldGoOnWithTheNextSenderWhereTheFirstDoesNotFit() throws Exception {
    try (Run run = Runs.of(PATTERNS, new Rejected(), 0)) {
      run.start();
      send(run, "GET / HTTP/1.1\r\n\r\n");
      send(run, "y,w1,w2\n0,1,2\n1,2,3\n");
      RunSnapshot end = Runs.end(run);
      assertThat(end.state()).isEqualTo(Phase.ENDED);
      assertThat(end.rows().trained()).isEqualTo(2);
    }
  }

  /** It holds up all others, who wait behind it, for as long as it may be idle. */
  @Test
  void shouldGoOnWithTheNextSenderWhereTheFirstFallsSilent() throws Exception {
    try (Run run = Runs.of(PATTERNS, new Rejected(), 0, "source.tcp.idleTimeout=1s")) {
      run.start();
      try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), Runs.port(run))) {
        silent.getOutputStream().write("y,w1".getBytes(StandardCharsets.UTF_8));
        send(run, "y,w1,w2\n0,1,2\n1,2,3\n");
        RunSnapshot end = Runs.end(run);
        assertThat(end.state()).isEqualTo(Phase.ENDED);
        assertThat(end.rows().trained()).isEqualTo(2);
      }
    }
  }

  @Test
  void shouldFailWithTheReasonWhereNoSenderFits() throws Exception {
    try (Run run = Runs.of(PATTERNS, new Rejected(), 0)) {
      run.start();
      send(run, "a,b\n");
      send(run, "y,z\n");
      RunSnapshot end = Runs.end(run);
      assertThat(end.state()).isEqualTo(Phase.FAILED);
      assertThat(end.failure()).contains("pattern 'w*' matches no column; columns are: y, z");
    }
  }

  @Test
  void shouldShowAllStagesBeforeTheHeaderAndEndAtOnceWhenStopped() {
    try (Run run = Runs.of(PATTERNS, new Rejected(), 0)) {
      assertThat(run.snapshot().state()).isEqualTo(Phase.STARTING);
      run.start();
      RunSnapshot waiting = run.snapshot();
      assertThat(waiting.state()).isEqualTo(Phase.RUNNING);
      assertThat(waiting.stages())
          .extracting(Stage::name)
          .containsExactly("ingest", "operators", "assembler", "device");
      run.stop();
      RunSnapshot end = Runs.end(run);
      assertThat(end.state()).isEqualTo(Phase.ENDED);
      assertThat(end.rows().received()).isZero();
    }
  }

  @Test
  void shouldCloseWhileItWaits() {
    Run run = Runs.of(PATTERNS, new Rejected(), 0);
    run.start();
    run.close();
    assertThat(run.snapshot().state()).isEqualTo(Phase.ENDED);
  }

  private static void send(Run run, String document) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Runs.port(run))) {
      socket.getOutputStream().write(document.getBytes(StandardCharsets.UTF_8));
    }
  }
}
