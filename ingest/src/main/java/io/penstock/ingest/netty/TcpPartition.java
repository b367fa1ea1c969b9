package io.penstock.ingest.netty;

import io.netty.channel.EventLoop;
import io.penstock.ingest.codec.CsvDecoder;
import io.penstock.ingest.codec.DecodedFlux;
import io.penstock.ingest.codec.HeaderScanner;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;

/** One connection, from acceptance until its last item is taken or nobody wants it any more. */
final class TcpPartition {
  private static final Logger log = LoggerFactory.getLogger(TcpPartition.class);

  private enum Phase {
    /** Nobody reads it yet. */
    NEW,
    /** Subscribed. */
    READ,
    /** Completed, failed, cancelled, or closed before anybody read it. */
    ENDED
  }

  private final int number;
  private final Connection connection;
  private final EventLoop loop;
  private final SocketAddress sender;
  private final Consumer<TcpPartition> onEnd;
  private final ConnectionBytes bytes;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.NEW);

  /** To be made on the connection's event loop. */
  TcpPartition(int number, Connection connection, Consumer<TcpPartition> onEnd) {
    this.number = number;
    this.connection = connection;
    this.onEnd = onEnd;
    loop = connection.channel().eventLoop();
    sender = connection.channel().remoteAddress();
    bytes = new ConnectionBytes(loop);
    connection.inbound().receive().subscribe(bytes);
  }

  /** In the order of acceptance, from 0. */
  int number() {
    return number;
  }

  EventLoop loop() {
    return loop;
  }

  /** The names of the columns; reads no further than needed, and {@link #items} begins at the first byte all the same. */
  Mono<List<String>> header(HeaderScanner scanner) {
    return bytes.header(scanner);
  }

  /** The rows; subscribed once, from any thread. */
  Flux<StreamItem> items(
      PartitionCursor cursor, SourceContext context, Supplier<CsvDecoder> decoder) {
    return Flux.defer(() -> read(cursor, context, decoder));
  }

  private Flux<StreamItem> read(
      PartitionCursor cursor, SourceContext context, Supplier<CsvDecoder> decoder) {
    if (!phase.compareAndSet(Phase.NEW, Phase.READ)) {
      return Flux.empty();
    }
    return DecodedFlux.decode(bytes, decoder.get(), context, loop)
        .onErrorResume(
            SourceException.class,
            error -> {
              logUnreadable(error);
              return Flux.just(new EndOfPartition(context.epoch(), cursor));
            })
        .doFinally(signal -> end());
  }

  /** One sender with the wrong header must not stop the others. */
  void logUnreadable(Throwable error) {
    log.error("connection {} from {} closed: {}", number, sender, error.getMessage());
  }

  /** Closes the connection. Who reads it gets what was received, then the end. */
  void close() {
    if (phase.compareAndSet(Phase.NEW, Phase.ENDED)) {
      bytes.cancel();
      connection.dispose();
      onEnd.accept(this);
    } else {
      // Not dispose: that would drop what was received, and the end with it.
      var _ = connection.channel().close();
    }
  }

  private void end() {
    phase.set(Phase.ENDED);
    connection.dispose();
    onEnd.accept(this);
  }
}
