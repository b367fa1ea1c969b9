package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

@Timeout(60)
class FeedTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Generator SEA =
      new Generator(GeneratorStream.SEA, 20_000, 1, 0, 0, List.of());

  @TempDir private Path folder;
  private ServerSocket receiver;

  @BeforeEach
  void listen() throws IOException {
    receiver = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void stopListening() throws IOException {
    receiver.close();
  }

  @Test
  void shouldSendAFileByteByByteAndCountItsRows() throws Exception {
    byte[] content = randomLines(9 << 20, true);
    Path file = Files.write(folder.resolve("rows.csv"), content);
    CompletableFuture<byte[]> received = receive();
    FeedResult result = await(feed().file(file, true));
    assertThat(received.get()).isEqualTo(content);
    assertThat(result.bytes()).isEqualTo(content.length);
    assertThat(result.rows()).isEqualTo(lines(content) - 1);
    assertThat(result.seconds()).isPositive();
  }

  @Test
  void shouldCountALastLineWithoutItsNewline() throws Exception {
    byte[] content = "a,b\n1,2\n3,4".getBytes(StandardCharsets.US_ASCII);
    Path file = Files.write(folder.resolve("rows.csv"), content);
    CompletableFuture<byte[]> received = receive();
    assertThat(await(feed().file(file, true)).rows()).isEqualTo(2);
    assertThat(received.get()).isEqualTo(content);
    received = receive();
    assertThat(await(feed().atRate(1e6).file(file, false)).rows()).isEqualTo(3);
    assertThat(received.get()).isEqualTo(content);
  }

  @Test
  void shouldSendAnEmptyFile() throws Exception {
    Path file = Files.createFile(folder.resolve("empty.csv"));
    CompletableFuture<byte[]> received = receive();
    FeedResult result = await(feed().file(file, true));
    assertThat(received.get()).isEmpty();
    assertThat(result.rows()).isZero();
    assertThat(result.bytes()).isZero();
  }

  @Test
  void shouldDecompressGzipOnTheFly() throws Exception {
    byte[] content = randomLines(1 << 20, false);
    Path file = folder.resolve("rows.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(content);
    }
    CompletableFuture<byte[]> received = receive();
    FeedResult result = await(feed().file(file, false));
    assertThat(received.get()).isEqualTo(content);
    assertThat(result.rows()).isEqualTo(lines(content) + 1);
  }

  @Test
  void shouldSendTheRowsOfAGenerator() throws Exception {
    CompletableFuture<byte[]> received = receive();
    FeedResult result = await(feed().generator(SEA, true));
    byte[] content = received.get();
    assertThat(result.rows()).isEqualTo(20_000);
    assertThat(result.bytes()).isEqualTo(content.length);
    assertThat(lines(content)).isEqualTo(20_001);
    assertThat(new String(content, StandardCharsets.US_ASCII)).startsWith("x0,x1,x2,label\n");
  }

  @Test
  void shouldSendTheSameBytesAtARateAsAtFullSpeed() throws Exception {
    byte[] content = randomLines(300_000, false);
    Path file = Files.write(folder.resolve("rows.csv"), content);
    CompletableFuture<byte[]> received = receive();
    FeedResult paced = await(feed().atRate(200_000).file(file, false));
    assertThat(received.get()).isEqualTo(content);
    assertThat(paced.rows()).isEqualTo(lines(content) + 1);
    received = receive();
    byte[] atFullSpeed;
    await(feed().generator(SEA, false));
    atFullSpeed = received.get();
    received = receive();
    await(feed().atRate(100_000).generator(SEA, false));
    assertThat(received.get()).isEqualTo(atFullSpeed);
  }

  @Test
  void shouldEndOnlyWhenTheReceiverHasReadEverything() throws Exception {
    CompletableFuture<FeedResult> result = new CompletableFuture<>();
    Generator many = new Generator(GeneratorStream.AGRAWAL, 400_000, 1, 0, 0, List.of());
    feed().generator(many, true).subscribe(result::complete, result::completeExceptionally);
    Socket connection = receiver.accept();
    assertThat(result).isNotDone();
    long bytes = connection.getInputStream().transferTo(OutputStream.nullOutputStream());
    connection.close();
    assertThat(result.get().bytes()).isEqualTo(bytes);
    assertThat(result.get().rows()).isEqualTo(400_000);
  }

  @Test
  void shouldSayWhereNobodyListensAndWhatToDo() throws IOException {
    int port = receiver.getLocalPort();
    receiver.close();
    assertThatThrownBy(() -> Feed.to("127.0.0.1", port).generator(SEA, true).block(PATIENCE))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("cannot connect to 127.0.0.1:" + port)
        .hasMessageContaining("start what should listen there first");
  }

  @Test
  void shouldWaitForSomebodyToListen() throws Exception {
    int port = receiver.getLocalPort();
    receiver.close();
    CompletableFuture<FeedResult> result = new CompletableFuture<>();
    Feed.to("127.0.0.1", port)
        .connectingWithin(PATIENCE)
        .generator(SEA, true)
        .subscribe(result::complete, result::completeExceptionally);
    receiver = new ServerSocket(port, 10, InetAddress.getLoopbackAddress());
    CompletableFuture<byte[]> received = receive();
    assertThat(result.get().bytes()).isEqualTo(received.get().length);
  }

  @Test
  void shouldReportAResetWithTheBytesThatWereSent() throws Exception {
    Generator endless = new Generator(GeneratorStream.SEA, 0, 1, 0, 0, List.of());
    CompletableFuture<FeedResult> result = new CompletableFuture<>();
    feed().generator(endless, true).subscribe(result::complete, result::completeExceptionally);
    Socket connection = receiver.accept();
    connection.getInputStream().readNBytes(100_000);
    connection.setSoLinger(true, 0);
    connection.close();
    assertThatThrownBy(result::get)
        .hasCauseInstanceOf(FeedException.class)
        .hasMessageContaining("127.0.0.1:" + receiver.getLocalPort())
        .hasMessageMatching("(?s).*connection lost after [1-9][0-9]* bytes.*");
  }

  @Test
  void shouldReportAReceiverThatClosesEarly() throws Exception {
    Generator slow = new Generator(GeneratorStream.SEA, 0, 1, 0, 0, List.of());
    CompletableFuture<FeedResult> result = new CompletableFuture<>();
    feed()
        .atRate(1)
        .generator(slow, true)
        .subscribe(result::complete, result::completeExceptionally);
    Socket connection = receiver.accept();
    connection.getInputStream().readNBytes(1);
    connection.close();
    assertThatThrownBy(result::get)
        .hasCauseInstanceOf(FeedException.class)
        .hasMessageContaining("connection lost after");
  }

  @Test
  void shouldCloseTheConnectionWhenCancelled() throws Exception {
    Generator endless = new Generator(GeneratorStream.SEA, 0, 1, 0, 0, List.of());
    Disposable sending = feed().generator(endless, true).subscribe();
    try (Socket connection = receiver.accept()) {
      InputStream in = connection.getInputStream();
      in.readNBytes(10_000);
      sending.dispose();
      // Ends only if the connection does.
      in.transferTo(OutputStream.nullOutputStream());
    }
  }

  @Test
  void shouldNameAFileThatIsMissingOrNoGzip() throws IOException {
    assertThatThrownBy(() -> feed().file(folder.resolve("none.csv"), true).block(PATIENCE))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("no such file: " + folder.resolve("none.csv"));
    assertThatThrownBy(() -> feed().atRate(1).file(folder, true).block(PATIENCE))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("cannot read " + folder);
    assertThatThrownBy(() -> feed().file(folder, true).block(PATIENCE))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("cannot read " + folder);
    Path fake = Files.writeString(folder.resolve("fake.gz"), "plain text, not compressed");
    assertThatThrownBy(() -> feed().file(fake, true).block(PATIENCE))
        .isInstanceOf(FeedException.class)
        .hasMessageContaining("cannot read " + fake);
  }

  @Test
  void shouldRefuseARateOrPortOutOfRange() {
    assertThatThrownBy(() -> feed().atRate(-1)).hasMessageContaining("rate must be 0");
    assertThatThrownBy(() -> Feed.to("localhost", 0)).hasMessageContaining("port must be 1");
  }

  @Test
  void shouldPaceByTheClockAndNotMakeUpForStalls() {
    Pacer pacer = new Pacer(1000, 0);
    long sent = 0;
    long second = 1_000_000_000;
    long now = 0;
    while (now < 10 * second) {
      long allowed = pacer.allowance(now);
      sent += allowed;
      pacer.sent(allowed);
      assertThat(pacer.allowance(now)).isZero();
      now += pacer.pauseNanos();
    }
    assertThat((double) sent).isCloseTo(10_000, within(2.0));
    assertThat(pacer.allowance(now + 60 * second)).isEqualTo(100);
    assertThat(new Pacer(0.5, 0).allowance(0)).isEqualTo(1);
  }

  @Test
  void shouldCountNewlinesEightAtATime() {
    Random random = new Random(4);
    for (int length = 0; length < 200; length++) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      for (int i = 0; i < length; i++) {
        bytes[i] = random.nextInt(3) == 0 ? (byte) '\n' : bytes[i];
      }
      assertThat(RegionBody.newlines(MemorySegment.ofArray(bytes))).isEqualTo(lines(bytes));
    }
  }

  private Feed feed() {
    return Feed.to("127.0.0.1", receiver.getLocalPort());
  }

  private static FeedResult await(Mono<FeedResult> feed) {
    return Objects.requireNonNull(feed.block(PATIENCE));
  }

  private CompletableFuture<byte[]> receive() {
    CompletableFuture<byte[]> received = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (Socket connection = receiver.accept()) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                connection.getInputStream().transferTo(bytes);
                received.complete(bytes.toByteArray());
              } catch (IOException e) {
                received.completeExceptionally(e);
              }
            });
    return received;
  }

  private static byte[] randomLines(int bytes, boolean closed) {
    Random random = new Random(8);
    byte[] content = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      int c = random.nextInt(40);
      content[i] = (byte) (c == 0 ? '\n' : '0' + c);
    }
    content[bytes - 1] = (byte) (closed ? '\n' : '7');
    return content;
  }

  private static long lines(byte[] content) {
    long lines = 0;
    for (byte b : content) {
      lines += b == '\n' ? 1 : 0;
    }
    return lines;
  }
}
