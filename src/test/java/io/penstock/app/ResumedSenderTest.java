package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.pipeline.State;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Senders as people run them, whose receiver is lost in the middle and comes back from a cut. */
@Timeout(180)
class ResumedSenderTest {
  private static final int ROWS = 4_000;
  private static final int WINDOW = 1_000;
  private static final Path EXAMPLE = Path.of("docs/examples/producer.py");

  private static final String YAML =
      """
      source: { tcp: { port: %d, acknowledge: { endAfterProducers: 1, window: %d }%s } }
      """
          + TestCsv.LEARNING
          + """
          batch: { size: 64, maxDelay: none }
          http: none
          """;

  private @TempDir Path folder;
  private Path file = Path.of("rows.csv");
  private String token = ""; // that the listener asks for

  /** A sender that may be started again. */
  private interface Sender {
    /** Starts; the result is what it printed, once it has ended well. */
    CompletableFuture<String> start(int port) throws IOException;
  }

  @BeforeEach
  void writeRows() throws IOException {
    file = Files.writeString(folder.resolve("rows.csv"), TestCsv.rows(9, ROWS));
  }

  @Test
  void shouldTrainOnEveryRowOnceThatTheFeedSends() throws Exception {
    loseTheReceiver(
        port ->
            CompletableFuture.supplyAsync(
                () -> {
                  Capture capture = new Capture();
                  int code =
                      Penstock.run(
                          new Wiring(),
                          capture.terminal(0),
                          "feed",
                          file.toString(),
                          "--to",
                          "tcp://127.0.0.1:" + port,
                          "--producer",
                          "sender",
                          "--until-durable");
                  assertThat(code).as(capture.err()).isZero();
                  return capture.err();
                }));
  }

  @Test
  void shouldTrainOnEveryRowOnceThatTheExampleInPythonSends() throws Exception {
    String python = python();
    Path secret = Files.writeString(folder.resolve("token"), "0123456789abcdef\n");
    token = ", token: { file: '%s' }".formatted(secret);
    loseTheReceiver(
        port -> {
          Process process =
              new ProcessBuilder(
                      python,
                      EXAMPLE.toString(),
                      "127.0.0.1",
                      Integer.toString(port),
                      "sender",
                      file.toString(),
                      "--token-file",
                      secret.toString())
                  .redirectErrorStream(true)
                  .start();
          return CompletableFuture.supplyAsync(
              () -> {
                try {
                  String said = process.inputReader().readAllAsString();
                  assertThat(process.waitFor()).as(said).isZero();
                  return said;
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
        });
  }

  private void loseTheReceiver(Sender sender) throws Exception {
    int port = freePort();
    RunSnapshot whole = wholeRun(sender, port);
    Runs.await(() -> isFree(port), "port %d was not given back", port);
    assertThat(whole.rows().trained()).isEqualTo(ROWS);

    State cut;
    CompletableFuture<String> sending;
    try (TrainingRun run = TestCheckpoints.run(config(port), null, () -> {})) {
      run.start();
      sending = sender.start(port);
      // So far its window lets it, and no further.
      Runs.await(() -> run.snapshot().rows().received() == WINDOW, "no row came");
      cut = run.cut().join();
    }
    assertThat(sending).isNotDone();
    Runs.await(
        () -> isFree(port),
        "port %d was not given back",
        port); // a closed listener lets go on its own thread
    RunSnapshot end = endOf(cut, port, sending);
    assertThat(end.outcome().weightsSha256()).isEqualTo(whole.outcome().weightsSha256());
    assertThat(end.cumulative()).isEqualTo(whole.cumulative());
    assertThat(end.outcome().ledger().getFirst()).isEqualTo(whole.outcome().ledger().getFirst());
  }

  private RunSnapshot wholeRun(Sender sender, int port) throws Exception {
    try (TestCheckpoints checkpoints = new TestCheckpoints(1);
        TrainingRun run = TestCheckpoints.run(config(port), null, checkpoints)) {
      checkpoints.of(run);
      run.start();
      sender.start(port).get();
      return Runs.end(run);
    }
  }

  private RunSnapshot endOf(State cut, int port, CompletableFuture<String> sending)
      throws Exception {
    try (TestCheckpoints checkpoints = new TestCheckpoints(1);
        TrainingRun run = TestCheckpoints.run(config(port), cut, checkpoints)) {
      checkpoints.of(run);
      run.start();
      sending.get();
      return Runs.end(run);
    }
  }

  private Config config(int port) {
    return Config.parse(YAML.formatted(port, WINDOW, token));
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static String python() throws InterruptedException {
    try {
      Process version =
          new ProcessBuilder("python3", "--version").redirectErrorStream(true).start();
      String said = version.inputReader().readAllAsString();
      Assumptions.assumeTrue(version.waitFor() == 0, "python3 does not start: " + said);
    } catch (IOException e) {
      Assumptions.abort("there is no python3 here: " + e.getMessage());
    }
    return "python3";
  }
}
