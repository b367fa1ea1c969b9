package io.penstock.ingest.netty;

import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * Rows as lines over TCP. Each connection is a partition, numbered from 0 in the order of acceptance. A broken connection ends
 * its partition and nothing else. With acknowledgements each producer is a partition, over all of its connections.
 */
public final class TcpSource implements Source, AutoCloseable {
  private final Tcp settings;
  private final TcpListener listener;
  private final BlockSchema schema;
  private final SourceContext context;
  private final ClassNumbering numbering;
  private final @Nullable Producers producers;
  private final AtomicBoolean subscribed = new AtomicBoolean();

  TcpSource(Tcp settings, TcpListener listener, BlockSchema schema, SourceContext context) {
    this.settings = settings;
    this.listener = listener;
    this.schema = schema;
    this.context = context;
    numbering = ClassNumbering.restored(context.saved());
    producers =
        settings.acknowledge() == null
            ? null
            : new Producers(listener, settings, settings.acknowledge(), schema, context);
  }

  /**
   * A source that listens. Connections wait in the kernel until {@link #partitions} is subscribed.
   *
   * @param schema of the blocks, the same as their pool's
   * @throws SourceException where the address cannot be listened on
   */
  public static TcpSource bind(Tcp settings, BlockSchema schema, SourceContext context) {
    return TcpListener.bind(settings).open(schema, context);
  }

  @Override
  public String name() {
    return "tcp";
  }

  /** A connection cannot be read again; a producer's partition ends only when the producer is forgotten. */
  @Override
  public boolean replays() {
    return false;
  }

  @Override
  public void save(State state) {
    if (producers != null) {
      producers.save(state);
    } else {
      numbering.save(state);
    }
  }

  @Override
  public void adopt(State saved, State later) {
    if (producers != null) {
      Producers.adopt(saved, later);
    }
  }

  @Override
  public void durable(State cut) {
    if (producers != null) {
      producers.durable(cut);
    }
  }

  /** The port listened on. */
  public int port() {
    return listener.port();
  }

  /** Connections closed at once because there were too many. */
  public long refusedConnections() {
    return listener.refusedConnections();
  }

  /** Connections closed because no byte came for too long. */
  public long idleConnections() {
    return listener.idleConnections();
  }

  /** Connections closed because they gave no token, or a wrong one. */
  public long unauthorizedConnections() {
    return listener.unauthorizedConnections();
  }

  @Override
  public Flux<Partition> partitions() {
    return Flux.create(
        partitions -> {
          if (!subscribed.compareAndSet(false, true)) {
            partitions.error(new IllegalStateException("tcp: partitions are subscribed once"));
            return;
          }
          partitions.onDispose(this::close);
          if (listener.isClosed()) {
            partitions.complete();
            return;
          }
          if (producers == null) {
            listener.handTo(new Connections(partitions));
          } else {
            producers.begin(partitions);
            listener.handTo(producers);
          }
          partitions.onRequest(n -> listener.acceptAsWanted());
        });
  }

  /** Stops listening and closes every connection; rows that were received and requested still pass. */
  @Override
  public void close() {
    if (producers != null) {
      producers.close();
    }
    listener.close();
  }

  private RowDecoder decoder(PartitionCursor cursor) {
    return RowDecoder.of(
        settings.format(), schema, numbering, cursor, context, settings.maxLineBytes());
  }

  /** Makes partitions of connections, as they are requested. */
  private final class Connections implements TcpListener.Taker {
    private final FluxSink<Partition> partitions;

    Connections(FluxSink<Partition> partitions) {
      this.partitions = partitions;
    }

    @Override
    public boolean wantsMore() {
      return partitions.requestedFromDownstream() > 0;
    }

    @Override
    public void take(TcpPartition connection) {
      listener.admitted(connection).subscribe(this::hand, connection::refuse);
    }

    private void hand(TcpPartition connection) {
      PartitionCursor cursor = context.cursor(connection.number());
      partitions.next(
          new Partition(cursor, connection.items(cursor, context, () -> decoder(cursor))));
    }

    @Override
    public void noMore() {
      partitions.complete();
    }
  }
}
