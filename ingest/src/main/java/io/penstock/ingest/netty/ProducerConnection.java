package io.penstock.ingest.netty;

import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * One connection of a producer, from its handshake to its end: docs/tcp-protocol.md in code. Confined to the connection's event
 * loop, but for what is guarded by the lock of {@link Producers}.
 */
final class ProducerConnection {
  private static final Logger log = LoggerFactory.getLogger(ProducerConnection.class);
  private static final String CUT_SHORT = "closed in the handshake";

  private final Producers producers;
  private final TcpPartition connection;
  private final Tcp settings;
  private final BlockSchema schema;
  private final SourceContext context;

  private @Nullable Handshake handshake;
  private @Nullable Producer producer;
  private volatile boolean welcomed;
  private volatile boolean hasSentAll;
  private volatile long toldReceived;
  private volatile long toldDurable;
  private volatile boolean toldEnd;

  /** Whether rows of it may still be sent on. Guarded by the lock of the producers. */
  boolean isSending;

  ProducerConnection(
      Producers producers,
      TcpPartition connection,
      Tcp settings,
      BlockSchema schema,
      SourceContext context) {
    this.producers = producers;
    this.connection = connection;
    this.settings = settings;
    this.schema = schema;
    this.context = context;
  }

  /** Goes on from the {@code handshake}, when that has come. */
  void begin(Mono<Handshake> handshake) {
    handshake.subscribe(this::introduced, connection::refuse);
  }

  private void introduced(Handshake handshake) {
    this.handshake = handshake;
    Producer admitted;
    try {
      checkColumns(handshake);
      admitted = producers.admit(this, handshake);
    } catch (RefusedException e) {
      connection.refuse(e);
      return;
    }
    producer = admitted;
    connection.onClose(() -> producers.closed(this, admitted));
    if (producers.isCurrent(this, admitted)) {
      welcome();
    }
  }

  /** Before anybody is fenced: one who cannot send must not keep off one who can. */
  private void checkColumns(Handshake handshake) {
    if (!settings.format().header()) {
      return;
    }
    try {
      RowDecoder.checkHeader(schema, handshake.columns(), "the header");
    } catch (SourceException e) {
      throw RefusedException.of(e, "header");
    }
  }

  long window() {
    return handshake == null ? 0 : handshake.window();
  }

  boolean isOpen() {
    return connection.isOpen();
  }

  /** Whether the producer has been told that all it sent is taken care of. */
  boolean knowsItsEnd() {
    return toldEnd;
  }

  /** Its turn has come. Any thread. */
  void welcomeSoon() {
    soon(this::welcome);
  }

  private void welcome() {
    Producer known = known();
    if (welcomed || !producers.isCurrent(this, known)) {
      return;
    }
    toldReceived = known.received();
    toldDurable = known.durable();
    log.debug("{}: producer {} goes on at row {}", connection, known.id(), toldReceived);
    connection.say(
        "welcome epoch=%d next=%d durable=%s window=%d"
            .formatted(
                known.epoch(),
                toldReceived,
                context.keepsCheckpoints() ? toldDurable : "no",
                producers.window(window())));
    welcomed = true;
    connection
        .look(Handshake::readFirstRow, CUT_SHORT)
        .subscribe(this::rowsFrom, connection::refuse);
  }

  private void rowsFrom(long first) {
    Producer known = known();
    long next = known.received();
    if (first > next) {
      connection.dismiss("rewind " + next);
      return;
    }
    RowDecoder decoder =
        producers.decoder(known, Objects.requireNonNull(handshake, "it came first").columns());
    connection.keepOpenBehindRows(this::overrun);
    Repeats repeats = new Repeats(next - first);
    Flux<StreamItem> rows =
        Flux.defer(
            () ->
                connection.lines(
                    bytes -> first == next ? bytes : bytes.doOnNext(repeats::drop),
                    decoder,
                    context));
    boolean taken =
        producers.takeRows(
            this,
            known,
            rows.doOnNext(item -> received(item, known))
                .doFinally(signal -> rowsEnded(decoder, known)));
    if (!taken) {
      connection.close();
    }
  }

  private static void received(StreamItem item, Producer producer) {
    if (item instanceof Block block) {
      producer.received(block.nextRow());
    }
  }

  private void rowsEnded(RowDecoder decoder, Producer producer) {
    hasSentAll = decoder.isComplete();
    if (hasSentAll) {
      soon(connection::expectNothing);
    }
    producers.rowsEnded(this, producer, hasSentAll);
    if (decoder.isOverrun()) {
      soon(this::overrun);
    }
  }

  private void overrun() {
    connection.refuse(
        new RefusedException(
            "end", "something came behind the empty line, which says that all rows were sent"));
  }

  /** Another connection of this producer has come. Any thread. */
  void fence(long epoch) {
    soon(
        () -> {
          log.info("{}: fenced by a later one of its producer, epoch {}", connection, epoch);
          connection.dismiss(RefusedException.fenced(epoch).line());
        });
  }

  /** Says what has changed, where something has. Any thread. */
  void tellNewsSoon() {
    Producer known = producer;
    if (known != null && welcomed && hasNews(known)) {
      soon(this::tellNews);
    }
  }

  private boolean hasNews(Producer known) {
    return known.received() > toldReceived
        || (context.keepsCheckpoints() && known.durable() > toldDurable)
        || mayTellEnd(known);
  }

  private boolean mayTellEnd(Producer known) {
    return hasSentAll && !toldEnd && (!context.keepsCheckpoints() || known.isDurable());
  }

  private void tellNews() {
    Producer known = known();
    if (!producers.isCurrent(this, known)) {
      return;
    }
    long received = known.received();
    if (received > toldReceived && connection.say("received " + received)) {
      toldReceived = received;
    }
    long durable = Math.min(known.durable(), received);
    if (context.keepsCheckpoints()
        && durable > toldDurable
        && connection.say("durable " + durable)) {
      toldDurable = durable;
    }
    if (mayTellEnd(known)) {
      connection.dismiss("ended " + received);
      toldEnd = true;
      producers.closed(this, known);
    }
  }

  private Producer known() {
    return Objects.requireNonNull(producer, "the handshake comes first");
  }

  private void soon(Runnable task) {
    try {
      connection.loop().execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("{}: the loop has ended", connection, e);
    }
  }
}
