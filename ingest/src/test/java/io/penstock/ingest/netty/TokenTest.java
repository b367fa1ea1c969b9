package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig.AcknowledgeConfig;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.config.Token;
import io.penstock.config.TokenConfig;
import io.penstock.ingest.codec.SourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Senders that give the token, and those that do not. */
@Timeout(60)
class TokenTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static final String WRONG = "0123456789abcdef0123456789abcdee";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private @TempDir Path folder;
  private Path file;

  @BeforeEach
  void keepTheSecret() throws IOException {
    file = Files.writeString(folder.resolve("token"), SECRET + "\n");
  }

  @Test
  void shouldTakeRowsBehindTheToken() throws Exception {
    try (Receiver receiver = receiver(null, 0);
        LineSocket sender = receiver.connect()) {
      sender.send("token " + SECRET + "\n" + Receiver.HEADER + Receiver.rows(0, 3));

      receiver.awaitRows(0, 3);
      assertThat(receiver.values(0)).containsExactly(0f, 1f, 2f);
      assertThat(receiver.source.unauthorizedConnections()).isZero();
    }
  }

  @Test
  void shouldTakeATokenThatComesInPieces() throws Exception {
    try (Receiver receiver = receiver(null, 0);
        LineSocket sender = receiver.connect()) {
      for (char c : ("token " + SECRET + "\r\n" + Receiver.HEADER + "7,").toCharArray()) {
        sender.send(String.valueOf(c));
      }
      sender.send("0\n");

      receiver.awaitRows(0, 1);
      assertThat(receiver.values(0)).containsExactly(7f);
    }
  }

  @Test
  void shouldTellAndCloseASenderWithoutTheRightToken() throws Exception {
    try (Receiver receiver = receiver(null, 0)) {
      for (String first :
          List.of(
              "token " + WRONG,
              "token " + SECRET + "0",
              "Token " + SECRET,
              SECRET,
              "token",
              "a,y",
              "x".repeat(5000),
              "penstock/1 producer=p token=" + SECRET)) {
        try (LineSocket sender = receiver.connect()) {
          sender.send(first + "\n" + Receiver.rows(0, 3));
          assertThat(sender.line()).startsWith("error token ").doesNotContain(SECRET, WRONG);
          assertThat(sender.line()).isNull();
        }
      }
      assertThat(receiver.source.unauthorizedConnections()).isEqualTo(8);

      try (LineSocket sender = receiver.connect()) {
        sender.send("token " + SECRET + "\n" + Receiver.HEADER + "5,0\n");
        Receiver.await(() -> receiver.rowNumbers().size() == 1);
      }
      assertThat(receiver.rejections.count()).as("nothing of theirs was taken for a row").isZero();
    }
  }

  @Test
  void shouldCountOnlyThoseWithTheTokenAmongTheConnectionsThatEndTheRun() throws Exception {
    try (Receiver receiver = receiver(null, 1);
        LineSocket waiting = receiver.connect()) {
      try (LineSocket sender = receiver.connect()) {
        sender.send("a,y\n1,0\n");
        assertThat(sender.line()).startsWith("error token");
      }
      assertThat(receiver.hasEnded()).isFalse();

      try (LineSocket sender = receiver.connect()) {
        sender.send("token " + SECRET + "\n" + Receiver.HEADER + "5,0\n");
      }
      receiver.awaitEnd();
      assertThat(receiver.rowNumbers().values()).containsExactly(List.of(0L));
      waiting.send("token " + SECRET + "\n" + Receiver.HEADER + "6,0\n");
      assertThat(waiting.line("token")).isNull();
    }
  }

  @Test
  void shouldAskAProducerForTheTokenInItsFirstLine() throws Exception {
    try (Receiver receiver = receiver(Receiver.limits(), 0)) {
      for (String line :
          List.of(
              "penstock/1 producer=p",
              "penstock/1 producer=p token=" + WRONG,
              "penstock/1 token=")) {
        try (LineSocket sender = receiver.connect()) {
          sender.send(line + "\n" + Receiver.HEADER);
          assertThat(sender.line()).startsWith("error token ").doesNotContain(WRONG);
        }
      }
      assertThat(receiver.source.unauthorizedConnections()).isEqualTo(3);

      try (LineSocket sender = receiver.connect()) {
        sender.send("penstock/1 producer=p token=" + SECRET + "\n" + Receiver.HEADER);
        assertThat(sender.line()).startsWith("welcome ");
        sender.send("rows 0\n" + Receiver.rows(0, 2));
        receiver.awaitRows(0, 2);
      }
    }
  }

  @Test
  void shouldFeedWithTheTokenAndSayWhyOneWithoutIsRefused() throws Exception {
    Path rows = rows(2000);
    try (Receiver receiver = receiver(null, 0)) {
      Feed feed = Feed.to("127.0.0.1", receiver.source.port());

      FeedResult sent =
          feed.withToken(new Token(SECRET)).file(rows, true).blockOptional(PATIENCE).orElseThrow();
      assertThat(sent.rows()).isEqualTo(2000);
      assertThat(sent.bytes()).isEqualTo(Files.size(rows));
      receiver.awaitRows(0, 2000);
      assertThatThrownBy(() -> feed.file(rows, true).block(PATIENCE))
          .isInstanceOf(FeedException.class)
          .hasMessageContaining("refused: error token give the token first");
      assertThatThrownBy(() -> feed.withToken(new Token(WRONG)).file(rows(1), true).block(PATIENCE))
          .isInstanceOf(FeedException.class)
          .hasMessageContaining("refused: error token this is not the token");
    }
  }

  @Test
  void shouldFeedAsAProducerWithTheTokenAndSayWhyOneWithoutIsRefused() throws Exception {
    try (Receiver receiver = receiver(new AcknowledgeConfig(8, 0, 1), 0)) {
      assertThatThrownBy(() -> producer(receiver, new Token(WRONG)).file(rows(5)))
          .isInstanceOf(FeedException.class)
          .hasMessageContaining("refused: error token this is not the token");
      CompletableFuture<FeedResult> sent =
          CompletableFuture.supplyAsync(
              () -> producer(receiver, new Token(SECRET)).file(folder.resolve("rows.csv")));
      receiver.awaitRows(0, 5);
      receiver.durable(receiver.wantedCut());
      assertThat(sent.get().rows()).isEqualTo(5);
    }
  }

  @Test
  void shouldFindTheHeaderBehindTheTokenWhereTheSchemaWaitsForIt() throws Exception {
    try (TcpListener listener = TcpListener.bind(settings(null, 0))) {
      CompletableFuture<@Nullable List<String>> names =
          listener.header(List::copyOf).toFuture().thenApply(found -> found);
      try (LineSocket wrong = new LineSocket(listener.port())) {
        wrong.send(Receiver.HEADER);
        assertThat(wrong.line()).startsWith("error token");
      }
      assertThat(names).isNotDone();
      try (LineSocket right = new LineSocket(listener.port())) {
        right.send("token " + SECRET + "\nb,c\n");
        assertThat(names.get()).containsExactly("b", "c");
      }
    }
  }

  @Test
  void shouldNotWaitForASilentSender() throws Exception {
    for (AcknowledgeConfig acknowledge :
        new @Nullable AcknowledgeConfig[] {null, Receiver.limits()}) {
      try (TcpListener listener =
          TcpListener.bind(settings(acknowledge, 0), Duration.ofMillis(20))) {
        var _ = listener.header(List::copyOf).toFuture();
        try (LineSocket silent = new LineSocket(listener.port())) {
          assertThat(silent.line()).isEqualTo("error token no token within 20 ms");
          assertThat(silent.line()).isNull();
        }
        assertThat(listener.unauthorizedConnections()).isEqualTo(1);
      }
    }
  }

  @Test
  void shouldNotListenWithoutTheTokenThatItIsToAskFor() throws IOException {
    Files.delete(file);
    assertThatThrownBy(() -> TcpListener.bind(settings(null, 0)))
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith("source.tcp.token: ")
        .hasMessageEndingWith("there is no such file");
  }

  private Receiver receiver(@Nullable AcknowledgeConfig acknowledge, int endAfterConnections) {
    return new Receiver(
        settings(acknowledge, endAfterConnections), acknowledge != null, null, true);
  }

  private Tcp settings(@Nullable AcknowledgeConfig acknowledge, int endAfterConnections) {
    return new Tcp(
        0,
        "127.0.0.1",
        false,
        FormatConfig.Csv.WITH_HEADER,
        65536,
        16,
        Duration.ZERO,
        endAfterConnections,
        null,
        acknowledge,
        new TokenConfig(file.toString(), null));
  }

  private static ProducerFeed producer(Receiver receiver, Token token) {
    return new ProducerFeed("127.0.0.1", receiver.source.port(), "p", 0, PATIENCE, true, token);
  }

  private Path rows(int count) throws IOException {
    return Files.writeString(folder.resolve("rows.csv"), Receiver.HEADER + Receiver.rows(0, count));
  }
}
