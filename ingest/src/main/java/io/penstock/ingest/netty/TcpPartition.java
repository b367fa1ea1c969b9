package io.penstock.ingest.netty;

import io.netty.channel.EventLoop;
import io.penstock.ingest.codec.CsvDecoder;
import io.penstock.ingest.codec.DecodedFlux;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
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

  private final Connection connection;
  private final EventLoop loop;
  private final PartitionCursor cursor;
  private final SourceContext context;
  private final Function<PartitionCursor, CsvDecoder> decoders;
  private final Consumer<TcpPartition> onEnd;
  private final ConnectionBytes bytes;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.NEW);

  /** To be made on the connection's event loop. */
  TcpPartition(
      Connection connection,
      PartitionCursor cursor,
      SourceContext context,
      Function<PartitionCursor, CsvDecoder> decoders,
      Consumer<TcpPartition> onEnd) {
    this.connection = connection;
    this.cursor = cursor;
    this.context = context;
    this.decoders = decoders;
    this.onEnd = onEnd;
    loop = connection.channel().eventLoop();
    bytes = new ConnectionBytes(loop);
    connection.inbound().receive().subscribe(bytes);
  }

  /** The rows; subscribed once, from any thread. */
  Flux<StreamItem> items() {
    return Flux.defer(this::read);
  }

  private Flux<StreamItem> read() {
    if (!phase.compareAndSet(Phase.NEW, Phase.READ)) {
      return Flux.empty();
    }
    return DecodedFlux.decode(bytes, decoders.apply(cursor), context, loop)
        .onErrorResume(SourceException.class, this::unreadable)
        .doFinally(signal -> end());
  }

  /** One sender with the wrong header must not stop the others. */
  private Flux<StreamItem> unreadable(SourceException error) {
    log.error(
        "connection {} from {} closed: {}",
        cursor.partition(),
        connection.channel().remoteAddress(),
        error.getMessage());
    return Flux.just(new EndOfPartition(context.epoch(), cursor));
  }

  /** Closes the connection. Who reads it gets what was received, then the end. */
  void close() {
    if (phase.compareAndSet(Phase.NEW, Phase.ENDED)) {
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
