package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs stopped at random moments give everything back: blocks, Netty's buffers (its leak detector is paranoid here), threads. */
class CancellationTest {
  private static final int ROUNDS = 40;

  private static final String MODEL =
      """
      pipeline: { parallelism: 2, slots: 4, memory: 2MB }
      batch: { size: 32, maxDelay: 2ms }
      http: none
      """;

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private final PrintStream processErr = System.err;

  private @TempDir Path folder;

  /** The tests' logger writes to System.err, where the leak detector's reports come, too. */
  @BeforeEach
  void listen() {
    System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void shouldLeakNeitherThreadNorBuffer() throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("penstock-")) {
        thread.join(TimeUnit.MINUTES.toMillis(1));
        assertThat(thread.isAlive()).as("%s has not ended", thread).isFalse();
      }
    }
    // Leaks are reported when the next buffer is allocated after the collection.
    for (int i = 0; i < 3; i++) {
      System.gc();
      ByteBufAllocator.DEFAULT.directBuffer(16).release();
    }
    System.setErr(processErr);
    assertThat(log.toString(StandardCharsets.UTF_8)).doesNotContain("LEAK");
  }

  @Test
  void shouldGiveAllBackWhenAGeneratorsRunIsStopped() throws Exception {
    stopAtRandomMoments(
        """
        source: { generator: { stream: agrawal } }
        features: [ standardize: { fields: number } ]
        model: { mlp: { hidden: [8] } }
        """);
  }

  @Test
  void shouldGiveAllBackWhenAFilesRunIsStopped() throws Exception {
    Path file = Files.writeString(folder.resolve("rows.csv"), TestCsv.rows(1, 30_000));
    stopAtRandomMoments("source: { file: { path: '%s' } }%n%s".formatted(file, TestCsv.LEARNING));
  }

  @Test
  void shouldGiveAllBackWhenATcpRunIsStopped() throws Exception {
    byte[] rows = TestCsv.rows(1, 20_000).getBytes(StandardCharsets.UTF_8);
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < ROUNDS; i++) {
      Run run =
          Runs.of(
              "source: { tcp: { port: 0 } }%n%s%s".formatted(TestCsv.LEARNING, MODEL),
              new Rejected(),
              0);
      int port = Runs.port(run);
      run.start();
      Thread first = sender(port, rows);
      Thread second = sender(port, rows);
      awaitTrained(run, random.nextInt(4000));
      stop(run, i);
      first.join();
      second.join();
    }
  }

  /** Sends the rows over and over until the other side closes. */
  private static Thread sender(int port, byte[] rows) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                  OutputStream out = socket.getOutputStream()) {
                while (!socket.isClosed()) {
                  out.write(rows);
                }
              } catch (IOException closed) {
                assertThat(closed).as("what ends this sender").isNotNull();
              }
            });
  }

  private void stopAtRandomMoments(String yaml) throws Exception {
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < ROUNDS; i++) {
      Run run = Runs.of(yaml + MODEL, new Rejected(), 0);
      if (i > 0) {
        run.start();
        awaitTrained(run, random.nextInt(1 << random.nextInt(14)));
      }
      stop(run, i);
    }
  }

  private static void awaitTrained(Run run, long rows) throws InterruptedException {
    while (run.snapshot().rows().trained() < rows && !run.awaitEnd(Duration.ofNanos(20_000))) {
      Thread.onSpinWait();
    }
  }

  /** By stop and close, or by close alone. */
  private static void stop(Run run, int round) throws InterruptedException {
    if (round % 2 == 1) {
      run.stop();
    }
    run.close();
    // The source's own thread gives back what it was working on when the run was stopped.
    Runs.await(
        () -> run.snapshot().memory().poolHeldBytes() == 0, "round %d: blocks leaked", round);
  }
}
