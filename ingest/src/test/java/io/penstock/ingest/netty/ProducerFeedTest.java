package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.SourceConfig.AcknowledgeConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProducerFeedTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private @TempDir Path folder;

  @Test
  void shouldSendAFileAndEndWhenAllOfItIsDurable() throws Exception {
    try (Receiver receiver = new Receiver(new AcknowledgeConfig(8, 0, 1))) {
      CompletableFuture<FeedResult> sent = feeding(receiver.source.port(), file(5000));
      receiver.awaitRows(0, 5000);
      Receiver.await(() -> receiver.checkpointsWanted.get() > 0);
      assertThat(sent).isNotDone();
      receiver.durable(receiver.cut());
      assertThat(sent.get().rows()).isEqualTo(5000);
      receiver.awaitEnd();
      assertThat(receiver.values(0)).isEqualTo(numbers(5000));
    }
  }

  @Test
  void shouldLeaveOutEmptyLinesAndEndTheLastOne() throws Exception {
    Path file = folder.resolve("gaps.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("\na,y\r\n0,0\r\n\r\n\n1,0\n\n2,0".getBytes(StandardCharsets.UTF_8));
    }
    try (Receiver receiver = new Receiver(Receiver.limits(), false, null, true)) {
      assertThat(feed(receiver.source.port(), false).file(file).rows()).isEqualTo(3);
      receiver.cut(); // behind what was received
      assertThat(receiver.values(0)).isEqualTo(numbers(3));
      // Once more: nothing is left to do.
      assertThat(feed(receiver.source.port(), false).file(file).rows()).isZero();
      receiver.cut();
      assertThat(receiver.values(0)).hasSize(3);
    }
  }

  @Test
  void shouldStayWithinTheWindowOfTheReceiver() throws Exception {
    try (Receiver receiver = new Receiver(new AcknowledgeConfig(8, 100, 0))) {
      CompletableFuture<FeedResult> sent = feeding(receiver.source.port(), file(250));
      receiver.awaitRows(0, 100);
      Receiver.await(() -> receiver.checkpointsWanted.get() > 0);
      assertThat(receiver.values(0)).hasSize(100);
      receiver.durable(receiver.cut());
      receiver.awaitRows(0, 200);
      receiver.durable(receiver.cut());
      receiver.awaitRows(0, 250);
      receiver.durable(receiver.wantedCut());
      assertThat(sent.get().rows()).isEqualTo(250);
    }
  }

  /** A receiver of our own that breaks off, sends back, and ends. */
  @Test
  void shouldConnectAgainAndGoOnWhereItIsTold() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      CompletableFuture<FeedResult> sent = feeding(server.getLocalPort(), file(20));
      try (Talk first = new Talk(server)) {
        assertThat(first.line()).isEqualTo("penstock/1 producer=p");
        assertThat(first.line()).isEqualTo("a,y");
        first.say("welcome epoch=4 next=0 durable=0 window=0");
        assertThat(first.line()).isEqualTo("rows 0");
        assertThat(first.line()).isEqualTo("0,0");
      }
      try (Talk second = new Talk(server)) {
        assertThat(second.line()).isEqualTo("penstock/1 producer=p epoch=4");
        assertThat(second.line()).isEqualTo("a,y");
        second.say("welcome epoch=4 next=12 durable=0 window=0");
        assertThat(second.line()).isEqualTo("rows 12");
        assertThat(second.line()).isEqualTo("12,0");
        second.say("rewind 3");
      }
      try (Talk third = new Talk(server)) {
        assertThat(third.line()).isEqualTo("penstock/1 producer=p epoch=4");
        assertThat(third.line()).isEqualTo("a,y");
        third.say("welcome epoch=4 next=3 durable=0 window=0");
        assertThat(third.line()).isEqualTo("rows 3");
        for (int row = 3; row < 20; row++) {
          assertThat(third.line()).isEqualTo(row + ",0");
        }
        assertThat(third.line()).isEmpty();
        third.say("durable 20");
        third.say("ended 20");
      }
      assertThat(sent.get().rows()).isEqualTo(20);
    }
  }

  @Test
  void shouldGiveUpWhereItIsFencedOrRefusedAndSayWhy() throws Exception {
    Path file = file(3);
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      CompletableFuture<FeedResult> sent = feeding(server.getLocalPort(), file);
      try (Talk talk = new Talk(server)) {
        talk.line();
        talk.line();
        talk.say("welcome epoch=1 next=0 durable=0 window=0");
        talk.say("fenced 2");
      }
      assertThatThrownBy(sent::get)
          .hasCauseInstanceOf(FeedException.class)
          .hasMessageContaining("another producer p has taken over (fenced 2)");
    }
    try (Receiver receiver = new Receiver(Receiver.limits(), false, null, true)) {
      int port = receiver.source.port();
      assertThatThrownBy(() -> feed(port, true).file(file))
          .hasMessageContaining("--until-durable: the receiver keeps no checkpoints");
      Path other = Files.writeString(folder.resolve("other.csv"), "b,y\n1,2\n");
      assertThatThrownBy(() -> feed(port, false).file(other))
          .hasMessageContaining("refused: error header ");
      feed(port, false).file(file);
      Path shorter = Files.writeString(folder.resolve("shorter.csv"), "a,y\n1,2\n");
      assertThatThrownBy(() -> feed(port, false).file(shorter))
          .hasMessageContaining("has 3 rows of producer p, but there are only 1");
      assertThatThrownBy(() -> feed(port, false).file(folder.resolve("none.csv")))
          .isInstanceOf(FeedException.class)
          .hasMessageContaining("none.csv");
    }
  }

  @Test
  void shouldGiveUpWhereNobodyAnswersInTime() throws Exception {
    int port;
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      port = server.getLocalPort();
    }
    ProducerFeed feed = new ProducerFeed("127.0.0.1", port, "p", 0, Duration.ZERO, false, null);
    assertThatThrownBy(() -> feed.file(file(1)))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("given up");
  }

  private static ProducerFeed feed(int port, boolean untilDurable) {
    return new ProducerFeed("127.0.0.1", port, "p", 0, PATIENCE, untilDurable, null);
  }

  private static CompletableFuture<FeedResult> feeding(int port, Path file) {
    CompletableFuture<FeedResult> sent = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                sent.complete(feed(port, false).file(file));
              } catch (RuntimeException e) {
                sent.completeExceptionally(e);
              }
            });
    return sent;
  }

  private Path file(int rows) throws IOException {
    return Files.writeString(
        folder.resolve("rows" + rows + ".csv"), Receiver.HEADER + Receiver.rows(0, rows));
  }

  private static List<Float> numbers(int to) {
    return IntStream.range(0, to).mapToObj(i -> (float) i).toList();
  }

  /** The receiver's side of a connection, by hand. */
  private static final class Talk implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader in;

    Talk(ServerSocket server) throws IOException {
      socket = server.accept();
      socket.setSoTimeout(30_000);
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    String line() throws IOException {
      return String.valueOf(in.readLine());
    }

    void say(String line) throws IOException {
      socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
