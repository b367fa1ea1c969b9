package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.SourceConfig.AcknowledgeConfig;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.State;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The protocol of docs/tcp-protocol.md, spoken by plain sockets. */
@Timeout(60)
class AcknowledgementTest {
  private static LeakWatch leaks;

  private final List<Receiver> receivers = new ArrayList<>();

  @BeforeAll
  static void watchForLeaks() {
    leaks = new LeakWatch();
  }

  @AfterAll
  static void shouldHaveReleasedEveryBuffer() {
    leaks.close();
  }

  @AfterEach
  void shouldHaveGivenBackEveryBlock() {
    receivers.forEach(Receiver::close);
  }

  @Test
  void shouldSayWhatIsReceivedAndWhatIsDurableAndEnd() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    try (LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0")) {
      socket.send("rows 0\n" + Receiver.rows(0, 5));
      assertThat(socket.line()).isEqualTo("received 5");
      State cut = receiver.cut();
      socket.send(Receiver.rows(5, 7));
      assertThat(socket.line()).isEqualTo("received 7");
      receiver.durable(cut);
      assertThat(socket.line()).isEqualTo("durable 5");
      socket.send("\n");
      receiver.durable(receiver.wantedCut());
      assertThat(socket.line()).isEqualTo("durable 7");
      assertThat(socket.line()).isEqualTo("ended 7");
      assertThat(socket.line()).isNull();
    }
    assertThat(settled(receiver).values(0)).isEqualTo(floats(0, 7));
  }

  @Test
  void shouldSayNothingOfDurabilityWhereNoCheckpointsAreKept() throws Exception {
    Receiver receiver = receiver(Receiver.limits(), false, null, true);
    LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=no window=0");
    socket.send("rows 0\n" + Receiver.rows(0, 3) + "\n");
    assertThat(socket.line()).isEqualTo("received 3");
    assertThat(socket.line()).isEqualTo("ended 3");
    assertThat(socket.line()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a,y                                   | error handshake the first line must be
          penstock/2 producer=p                 | error version the first line must be
          penstock/1                            | error producer producer= must be
          penstock/1 producer=                  | error producer producer= must be
          penstock/1 producer=a b               | error handshake behind the version
          penstock/1 producer=ü                 | error producer
          penstock/1 producer=p producer=q      | error handshake behind the version
          penstock/1 producer=p color=red       | error handshake behind the version
          penstock/1 producer=p epoch=-1        | error handshake epoch= must be a number
          penstock/1 producer=p window=many     | error handshake window= must be a number
          """)
  void shouldRefuseAHandshakeThatIsNone(String line, String refusal) throws Exception {
    LineSocket socket = receiver(Receiver.limits()).connect().send(line + "\n" + "1,2\n".repeat(9));
    assertThat(socket.line()).startsWith(refusal);
    assertThat(socket.line()).isNull();
  }

  @Test
  void shouldRefuseWhatComesBehindAHandshake() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    assertThat(receiver.connect().send("penstock/1 producer=p\nb,y\n").line())
        .startsWith("error header ")
        .contains("'a'");
    assertThat(receiver.connect().send("x".repeat(5000)).line())
        .isEqualTo("error handshake a line of the handshake has more than 1024 bytes");
    LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    assertThat(socket.send("1,2\n").line()).startsWith("error rows ");
    // One that was refused is not in the way of the next.
    receiver.introduce("p", "welcome epoch=2 next=0 durable=0 window=0").send("rows 0\n1,2\n");
    receiver.awaitRows(0, 1);
  }

  @Test
  void shouldRefuseRowsBehindTheEnd() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    socket.send("rows 0\n1,2\n\n3,4\n");
    assertThat(socket.line("error")).startsWith("error end ");
    socket = receiver.introduce("p", "welcome epoch=2 next=1 durable=0 window=0");
    socket.send("rows 1\n\r\n\n");
    socket.send("3,4\n");
    assertThat(socket.line("error")).startsWith("error end ");
    assertThat(settled(receiver).values(0)).containsExactly(1f);
  }

  @Test
  void shouldDropWhatIsSentAgainAndRefuseAGap() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    try (LineSocket first = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0")) {
      first.send("rows 0\n" + Receiver.rows(0, 40) + "40,");
      assertThat(first.line("received 40")).isNotNull();
    }
    try (LineSocket ahead = receiver.introduce("p", "welcome epoch=2 next=40 durable=0 window=0")) {
      ahead.send("rows 41\n" + Receiver.rows(41, 50));
      assertThat(ahead.line()).isEqualTo("rewind 40");
      assertThat(ahead.line()).isNull();
    }
    try (LineSocket again = receiver.introduce("p", "welcome epoch=3 next=40 durable=0 window=0")) {
      again.send("rows 13\n" + Receiver.rows(13, 60));
      assertThat(again.line("received 60")).isNotNull();
    }
    assertThat(settled(receiver).values(0)).isEqualTo(floats(0, 60));
    assertThat(settled(receiver).rowNumbers().get(0)).isEqualTo(longs(0, 60));
  }

  @Test
  void shouldTakeRowsThatComeWithTheHandshakeAtOnce() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    for (int i = 1; i <= 3; i++) {
      LineSocket socket = receiver.connect();
      socket.send("penstock/1 producer=p epoch=7\n" + Receiver.HEADER + "rows 0\n");
      socket.send(Receiver.rows(0, 10 * i));
      assertThat(socket.line()).startsWith("welcome epoch=7 next=" + 10 * (i - 1));
      assertThat(socket.line("received " + 10 * i)).isNotNull();
    }
    assertThat(settled(receiver).values(0)).isEqualTo(floats(0, 30));
  }

  @Test
  void shouldNumberRejectedRowsToo() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    socket.send("rows 0\n0,0\nbad\n2,\"0\n0\"\n4,0\n");
    assertThat(socket.line("received 5")).isNotNull();
    assertThat(settled(receiver).rowNumbers().get(0)).containsExactly(0L, 4L);
    assertThat(receiver.rejections.rows()).extracting(row -> row.row()).containsExactly(1L, 2L, 3L);
    socket = receiver.introduce("p", "welcome epoch=2 next=5 durable=0 window=0");
    socket.send("rows 0\n0,0\nbad\n2,\"0\n0\"\n4,0\n5,0\n");
    assertThat(socket.line("received 6")).isNotNull();
    assertThat(receiver.rejections.rows()).hasSize(3);
  }

  @Test
  void shouldFenceTheFirstOfTwoWithOneName() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    LineSocket first = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    first.send("rows 0\n" + Receiver.rows(0, 3));
    assertThat(first.line()).isEqualTo("received 3");
    LineSocket second = receiver.introduce("p", "welcome epoch=2 next=3 durable=0 window=0");
    assertThat(first.line()).isEqualTo("fenced 2");
    assertThat(first.line()).isNull();
    second.send("rows 3\n" + Receiver.rows(3, 5));
    assertThat(second.line()).isEqualTo("received 5");
    LineSocket late = receiver.connect().send("penstock/1 producer=p epoch=1\n" + Receiver.HEADER);
    assertThat(late.line()).isEqualTo("fenced 2");
    second.send(Receiver.rows(5, 6));
    assertThat(second.line()).isEqualTo("received 6");
    assertThat(settled(receiver).values(0)).isEqualTo(floats(0, 6));
  }

  @Test
  void shouldLetTheLatestOfManyInWhenTheFirstIsHeldBack() throws Exception {
    Receiver receiver = receiver(Receiver.limits(), true, null, false);
    LineSocket first = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    first.send("rows 0\n" + Receiver.rows(0, 100));
    // Its block is decoded, and nobody has asked for it.
    receiver.request(1);
    receiver.awaitRows(0, 1);
    List<LineSocket> later = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      LineSocket next = receiver.connect();
      next.send("penstock/1 producer=p\n" + Receiver.HEADER);
      later.add(next);
      assertThat((i == 0 ? first : later.get(i - 1)).line("fenced")).isEqualTo("fenced " + (i + 2));
    }
    receiver.request(Long.MAX_VALUE);
    String welcome = later.get(2).line();
    assertThat(welcome).startsWith("welcome epoch=4 next=");
    later.get(2).send("rows 0\n" + Receiver.rows(0, 150));
    assertThat(later.get(2).line("received 150")).isNotNull();
    assertThat(settled(receiver).values(0)).isEqualTo(floats(0, 150));
  }

  @Test
  void shouldKeepTwoProducersApart() throws Exception {
    Receiver receiver = receiver(Receiver.limits());
    LineSocket p = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    LineSocket q = receiver.introduce("q", "welcome epoch=1 next=0 durable=0 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 3));
    q.send("rows 0\n" + Receiver.rows(0, 5));
    assertThat(p.line()).isEqualTo("received 3");
    assertThat(q.line()).isEqualTo("received 5");
    assertThat(settled(receiver).rowNumbers()).isEqualTo(Map.of(0, longs(0, 3), 1, longs(0, 5)));
  }

  @Test
  void shouldGoOnWhereACutHasIt() throws Exception {
    Receiver first = receiver(Receiver.limits());
    LineSocket p = first.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    LineSocket q = first.introduce("q", "welcome epoch=1 next=0 durable=0 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 3));
    q.send("rows 0\n" + Receiver.rows(0, 5));
    assertThat(p.line()).isEqualTo("received 3");
    assertThat(q.line()).isEqualTo("received 5");
    State cut = first.cut();
    first.durable(cut);
    assertThat(p.line()).isEqualTo("durable 3");
    p.send(Receiver.rows(3, 9));
    assertThat(p.line()).isEqualTo("received 9");

    Receiver second = receiver(Receiver.limits(), true, cut, true);
    State untouched = second.cut();
    assertThat(Merge.cursors(untouched, 0))
        .extracting(cursor -> cursor.partition() + ":" + cursor.nextRow())
        .as("producers that are not there yet keep their positions")
        .containsExactlyInAnyOrder("0:3", "1:5");
    second.introduce("r", "welcome epoch=1 next=0 durable=0 window=0").send("rows 0\n7,7\n");
    second
        .introduce("q", "welcome epoch=2 next=5 durable=0 window=0")
        .send("rows 4\n" + Receiver.rows(4, 7));
    second.durable(cut);
    p = second.introduce("p", "welcome epoch=2 next=3 durable=3 window=0");
    p.send("rows 2\n" + Receiver.rows(2, 9));
    assertThat(p.line()).isEqualTo("received 9");
    second.awaitRows(1, 2);
    second.awaitRows(2, 1);
    assertThat(settled(second).rowNumbers())
        .isEqualTo(Map.of(0, longs(3, 9), 1, longs(5, 7), 2, longs(0, 1)));
  }

  @Test
  void shouldAskForACheckpointWhenAWindowIsNearlyUsedUpAndWhenAProducerEnds() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(8, 1000, 0));
    LineSocket socket = receiver.connect();
    socket.send("penstock/1 producer=p window=40\n" + Receiver.HEADER);
    assertThat(socket.line()).isEqualTo("welcome epoch=1 next=0 durable=0 window=40");
    socket.send("rows 0\n" + Receiver.rows(0, 29));
    assertThat(socket.line("received 29")).isNotNull();
    assertThat(receiver.checkpointsWanted).hasValue(0);
    socket.send(Receiver.rows(29, 30));
    Receiver.await(() -> receiver.checkpointsWanted.get() >= 2);
    receiver.durable(receiver.cut());
    assertThat(socket.line("durable 30")).isNotNull();
    int soFar = receiver.checkpointsWanted.get();
    socket.send(Receiver.rows(30, 31));
    assertThat(socket.line("received 31")).isNotNull();
    assertThat(receiver.checkpointsWanted).hasValue(soFar);
    socket.send("\n");
    Receiver.await(() -> receiver.checkpointsWanted.get() > soFar);
  }

  @Test
  void shouldNameTheSmallerOfTheWindows() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(8, 1000, 0));
    receiver.introduce("none", "welcome epoch=1 next=0 durable=0 window=1000");
    receiver.introduce("large window=5000", "welcome epoch=1 next=0 durable=0 window=1000");
    receiver.introduce("small window=5", "welcome epoch=1 next=0 durable=0 window=5");
  }

  @Test
  void shouldForgetWhoEndedLongestAgoAndRefuseWhereNobodyHas() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(2, 0, 0), false, null, true);
    end(receiver, "a");
    end(receiver, "b");
    end(receiver, "a"); // comes again: now b is the oldest
    try (LineSocket c = receiver.introduce("c", "welcome epoch=1 next=0 durable=no window=0")) {
      c.send("rows 0\n");
      // The end of b's partition goes its own way, and a cut may be before it.
      Receiver.await(() -> partitions(receiver.cut()).equals(Set.of(0, 2)));
      try (LineSocket d = receiver.introduce("d", "welcome epoch=1 next=0 durable=no window=0")) {
        assertThat(receiver.connect().send("penstock/1 producer=e\n" + Receiver.HEADER).line())
            .startsWith("error producers 2 producers are known that have not ended");
        d.send("rows 0\n" + Receiver.rows(0, 2));
        assertThat(d.line()).isEqualTo("received 2");
      }
    }
    assertThat(settled(receiver).rowNumbers().keySet()).containsExactly(0, 1, 3);
  }

  /** One that came as far as its handshake, or not so far, takes nobody's place for ever. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "penstock/1 produ",
        "penstock/1 producer=q\n",
        "penstock/1 producer=q\na,y\n",
        "penstock/1 producer=q\na,y\nro",
        "penstock/1 producer=q\na,y\nrows 0\n",
        "penstock/1 producer=q\na,y\nrows 0\n1,2\n3,"
      })
  void shouldCloseAConnectionThatFallsSilent(String beginning) throws Exception {
    Receiver receiver = idle(Duration.ofMillis(100));
    LineSocket silent = receiver.connect();
    silent.send(beginning);
    String line = silent.line();
    while (line != null) {
      line = silent.line();
    }
    assertThat(receiver.source.idleConnections()).isEqualTo(1);
    String received = null;
    while (received == null) { // on a slow machine one that speaks may seem idle, too
      LineSocket next = receiver.connect();
      next.send("penstock/1 producer=q\na,y\nrows 0\n1,2\n3,4\n");
      received = next.line("received 2");
    }
  }

  /** It is the receiver's turn then. */
  @Test
  void shouldNotTakeForIdleWhoWaitsForItsLastRowsToBeDurable() throws Exception {
    Receiver receiver = idle(Duration.ofMillis(100));
    String received = null;
    LineSocket waiting = receiver.connect();
    while (received == null) {
      waiting = receiver.connect();
      waiting.send("penstock/1 producer=p\na,y\nrows 0\n1,2\n3,4\n\n");
      received = waiting.line("received 2");
    }
    State cut = receiver.wantedCut();
    LineSocket silent = receiver.connect();
    assertThat(silent.line()).as("so much time has passed").isNull();
    receiver.durable(cut);
    assertThat(waiting.line("ended")).isEqualTo("ended 2");
  }

  private Receiver idle(Duration idleTimeout) {
    Receiver receiver =
        new Receiver(Receiver.settings(Receiver.limits(), idleTimeout), true, null, true);
    receivers.add(receiver);
    return receiver;
  }

  private static Set<Integer> partitions(State cut) {
    return Merge.cursors(cut, 0).stream()
        .map(PartitionCursor::partition)
        .collect(Collectors.toSet());
  }

  private static void end(Receiver receiver, String producer) throws Exception {
    LineSocket socket = receiver.connect();
    socket.send("penstock/1 producer=" + producer + "\n" + Receiver.HEADER + "rows 0\n1,1\n\n");
    assertThat(socket.line("ended")).isEqualTo("ended 1");
    assertThat(socket.line()).isNull();
    socket.close();
  }

  @Test
  void shouldEndTheRunWhenSoManyProducersHaveEndedAndAllTheirRowsAreDurable() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(8, 0, 2));
    LineSocket p = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    LineSocket q = receiver.introduce("q", "welcome epoch=1 next=0 durable=0 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 3) + "\n");
    receiver.durable(receiver.wantedCut());
    assertThat(p.line("ended")).isEqualTo("ended 3");
    q.send("rows 0\n" + Receiver.rows(0, 5) + "\n");
    assertThat(q.line()).isEqualTo("received 5");
    State cut = receiver.wantedCut();
    assertThat(receiver.hasEnded()).isFalse();
    receiver.durable(cut);
    assertThat(q.line("ended")).isEqualTo("ended 5");
    receiver.awaitEnd();

    Receiver again = receiver(new AcknowledgeConfig(8, 0, 2), true, cut, true);
    Receiver.await(() -> again.checkpointsWanted.get() > 0);
    again.durable(cut);
    again.awaitEnd();
  }

  /** Else a run that goes on from the cut would wait in vain for one that has gone, satisfied. */
  @Test
  void shouldNotSayEndedBeforeThatItselfIsDurable() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(8, 0, 1));
    LineSocket p = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 3));
    assertThat(p.line()).isEqualTo("received 3");
    State before = receiver.cut();
    receiver.durable(before);
    assertThat(p.line()).isEqualTo("durable 3");
    p.send("\n");
    State behind = receiver.wantedCut();
    receiver.durable(before); // as when a checkpoint has been written, and this is the oldest
    assertThat(receiver.hasEnded()).isFalse();
    receiver.durable(behind);
    assertThat(p.line()).isEqualTo("ended 3");
    receiver.awaitEnd();

    Receiver again = receiver(new AcknowledgeConfig(8, 0, 1), true, behind, true);
    again.durable(behind);
    again.awaitEnd();
  }

  /** The end is noted on arrival; the rows before it may still be on their way when a barrier passes. */
  @Test
  void shouldNotTakeForEndedWhoseLastRowsAreNotInTheCut() throws Exception {
    Receiver receiver = receiver(new AcknowledgeConfig(8, 0, 1), true, null, false);
    LineSocket p = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 16));
    receiver.request(1);
    receiver.awaitRows(0, 16);
    CompletableFuture<State> early = receiver.cutBehindWhatHasArrived();
    p.send(Receiver.rows(16, 20) + "\n");
    assertThat(p.line("received 20")).isNotNull();
    receiver.request(1);
    State cut = early.get(20, TimeUnit.SECONDS);

    Receiver again = receiver(new AcknowledgeConfig(8, 0, 1), true, cut, true);
    again.durable(cut);
    assertThat(again.hasEnded()).isFalse();
    p = again.introduce("p", "welcome epoch=2 next=16 durable=16 window=0");
    p.send("rows 0\n" + Receiver.rows(0, 20) + "\n");
    assertThat(p.line("received 20")).isNotNull();
    again.durable(again.wantedCut());
    again.awaitEnd();
  }

  @Test
  void shouldHoldASenderBackWhileNothingIsWanted() throws Exception {
    Receiver receiver = receiver(Receiver.limits(), true, null, false);
    LineSocket socket = receiver.introduce("p", "welcome epoch=1 next=0 durable=0 window=0");
    Thread sender =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    socket.send("rows 0\n" + Receiver.rows(0, 2_000_000) + "\n");
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                });
    Receiver.await(() -> sender.getState() == Thread.State.WAITING);
    assertThat(receiver.values(0)).isEmpty();
    receiver.request(Long.MAX_VALUE);
    sender.join();
    assertThat(socket.line("received 2000000")).isNotNull();
  }

  @Test
  void shouldTakeEachRowOnceHoweverOftenItBreaksOff() throws Exception {
    SplittableRandom random = new SplittableRandom(11);
    for (int round = 0; round < 60; round++) {
      Receiver receiver = receiver(Receiver.limits());
      int rows = 3000;
      boolean ended = false;
      for (int attempt = 0; !ended; attempt++) {
        LineSocket socket = receiver.connect();
        socket.send("penstock/1 producer=p\n" + Receiver.HEADER);
        String welcome = Objects.requireNonNull(socket.line());
        int next = Integer.parseInt(welcome.replaceAll(".*next=(\\d+).*", "$1"));
        int from = random.nextInt(next + 1);
        String rest = "rows " + from + "\n" + Receiver.rows(from, rows) + "\n";
        if (attempt == 6) {
          sendInPieces(socket, rest, rest.length(), random);
          assertThat(socket.line("received " + rows)).isNotNull();
          ended = true;
        } else {
          sendInPieces(socket, rest, random.nextInt(rest.length() - 1), random);
          if (random.nextBoolean()) {
            socket.reset();
          } else if (random.nextBoolean()) {
            socket.close();
          }
        }
      }
      assertThat(settled(receiver).values(0)).as("round %d", round).isEqualTo(floats(0, rows));
      assertThat(settled(receiver).rowNumbers().get(0)).isEqualTo(longs(0, rows));
    }
  }

  @Test
  void shouldLeakNothingWhenCancelledAtAnyMoment() throws Exception {
    SplittableRandom random = new SplittableRandom(12);
    String rest = "rows 0\n" + Receiver.rows(0, 3000) + "\n";
    for (int round = 0; round < 40; round++) {
      Receiver receiver = new Receiver(Receiver.limits());
      List<LineSocket> sockets = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        // Two of them have one name.
        LineSocket socket = receiver.connect();
        socket.send("penstock/1 producer=p" + i / 2 + "\n" + Receiver.HEADER);
        sockets.add(socket);
        Thread.ofVirtual().start(() -> sendQuietly(socket, rest));
      }
      receiver.awaitRows(0, random.nextInt(2000));
      receiver.close();
      for (LineSocket socket : sockets) {
        socket.close();
      }
    }
  }

  private static void sendQuietly(LineSocket socket, String text) {
    try {
      socket.send(text);
    } catch (IOException e) {
      assertThat(e).as("the receiver closed").isNotNull();
    }
  }

  private static void sendInPieces(
      LineSocket socket, String text, int length, SplittableRandom random) throws Exception {
    for (int at = 0; at < length; ) {
      int piece = Math.min(length - at, random.nextInt(1 << random.nextInt(14)) + 1);
      socket.send(text.substring(at, at + piece));
      at += piece;
    }
  }

  /** When all that was said to be received has come to the reader, too: a barrier goes behind it. */
  private static Receiver settled(Receiver receiver) {
    receiver.cut();
    return receiver;
  }

  private Receiver receiver(AcknowledgeConfig limits) {
    return receiver(limits, true, null, true);
  }

  private Receiver receiver(
      AcknowledgeConfig limits, boolean checkpoints, @Nullable State saved, boolean readsOn) {
    Receiver receiver = new Receiver(limits, checkpoints, saved, readsOn);
    receivers.add(receiver);
    return receiver;
  }

  private static List<Float> floats(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> (float) i).toList();
  }

  private static List<Long> longs(int from, int to) {
    return LongStream.range(from, to).boxed().toList();
  }
}
