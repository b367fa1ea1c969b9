package io.penstock.ingest.netty;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.util.AttributeKey;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.CsvDecoder;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.netty.ChannelBindException;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/**
 * Rows as lines over TCP. Each connection is a partition, numbered from 0 in the order of acceptance. A broken connection ends
 * its partition and nothing else.
 */
public final class TcpSource implements Source, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TcpSource.class);
  private static final AttributeKey<Integer> NUMBER = AttributeKey.valueOf("penstock.partition");
  private static final int MOST_LOOPS = 2;
  private static final Duration LOOPS_END_WITHIN = Duration.ofSeconds(1);
  private static final int FIRST_READ_BYTES = 64 << 10;
  private static final int LARGEST_READ_BYTES = 1 << 20;

  private final Tcp settings;
  private final BlockSchema schema;
  private final SourceContext context;
  private final ClassNumbering numbering = new ClassNumbering();
  private final LoopResources loops;
  private final DisposableServer server;

  /** Connections whose partition has not ended. */
  private final Set<TcpPartition> open = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean subscribed = new AtomicBoolean();
  private final AtomicBoolean loopsEnding = new AtomicBoolean();
  private final AtomicInteger ended = new AtomicInteger();
  private final LongAdder refused = new LongAdder();
  private final LongAdder idle = new LongAdder();
  private volatile @Nullable FluxSink<Partition> sink;
  private volatile boolean closed;

  private TcpSource(Tcp settings, BlockSchema schema, SourceContext context) {
    this.settings = settings;
    this.schema = schema;
    this.context = context;
    loops =
        LoopResources.create(
            "penstock-tcp", Math.min(MOST_LOOPS, Runtime.getRuntime().availableProcessors()), true);
    try {
      server = listen();
    } catch (RuntimeException e) {
      loops.dispose();
      throw e;
    }
  }

  /**
   * A source that listens. Connections wait in the kernel until {@link #partitions} is subscribed.
   *
   * @param schema of the blocks, the same as their pool's
   * @throws SourceException where the address cannot be listened on
   */
  public static TcpSource bind(Tcp settings, BlockSchema schema, SourceContext context) {
    return new TcpSource(settings, schema, context);
  }

  @Override
  public String name() {
    return "tcp";
  }

  /** The port listened on. */
  public int port() {
    return ((InetSocketAddress) server.address()).getPort();
  }

  /** Connections closed at once because there were too many. */
  public long refusedConnections() {
    return refused.sum();
  }

  /** Connections closed because no byte came for too long. */
  public long idleConnections() {
    return idle.sum();
  }

  @Override
  public Flux<Partition> partitions() {
    return Flux.create(
        partitions -> {
          if (!subscribed.compareAndSet(false, true)) {
            partitions.error(new IllegalStateException("tcp: partitions are subscribed once"));
            return;
          }
          sink = partitions;
          partitions.onDispose(this::close);
          partitions.onRequest(n -> acceptAsWanted());
          if (closed) {
            partitions.complete();
          }
        });
  }

  /** Stops listening and closes every connection; rows that were received and requested still pass. */
  @Override
  public void close() {
    closed = true;
    server.dispose();
    open.forEach(TcpPartition::close);
    endLoopsAfterTheLast();
  }

  private DisposableServer listen() {
    try {
      return TcpServer.create()
          .host(settings.bind())
          .port(settings.port())
          .runOn(loops)
          .childOption(
              ChannelOption.RECVBUF_ALLOCATOR,
              new AdaptiveRecvByteBufAllocator(
                  FIRST_READ_BYTES, FIRST_READ_BYTES, LARGEST_READ_BYTES))
          .doOnBound(bound -> bound(bound.channel()))
          .handle(
              (in, out) -> {
                in.withConnection(this::connected);
                return out.neverComplete();
              })
          .bindNow();
    } catch (ChannelBindException e) {
      throw new SourceException(
          "source.tcp: cannot listen on %s:%d: %s; end what listens there, or set source.tcp.port to a free one (0: any) and source.tcp.bind to an address of this machine"
              .formatted(settings.bind(), settings.port(), reason(e)),
          e);
    }
  }

  /** On the listener's event loop, before it accepts: nothing is accepted until somebody takes partitions. */
  private void bound(Channel listener) {
    listener.config().setAutoRead(false);
    listener.pipeline().addFirst(new Admission());
  }

  private static String reason(Throwable error) {
    Throwable cause = error.getCause() == null ? error : error.getCause();
    // Netty's native transports put the call and its number before what the system says.
    return String.valueOf(cause.getMessage()).replaceFirst("^.* failed with error\\(.*\\): ", "");
  }

  /** On the connection's event loop, once it is open. */
  private void connected(Connection connection) {
    if (!settings.idleTimeout().isZero()) {
      connection.addHandlerFirst(new IdleTimeout(settings.idleTimeout(), this::idle));
    }
    int number = connection.channel().attr(NUMBER).get();
    PartitionCursor cursor = context.cursor(number);
    TcpPartition partition =
        new TcpPartition(connection, cursor, context, this::decoder, this::ended);
    open.add(partition);
    FluxSink<Partition> partitions = sink;
    if (closed || partitions == null) {
      partition.close();
      return;
    }
    partitions.next(new Partition(cursor, partition.items()));
    acceptAsWanted();
  }

  private CsvDecoder decoder(PartitionCursor cursor) {
    return new CsvDecoder(
        settings.format().csv(), schema, numbering, cursor, context, settings.maxLineBytes());
  }

  private void idle(ChannelHandlerContext connection) {
    idle.increment();
    log.info(
        "source.tcp: connection {} from {} closed: no byte for {}",
        connection.channel().attr(NUMBER).get(),
        connection.channel().remoteAddress(),
        settings.idleTimeout());
  }

  private void ended(TcpPartition partition) {
    open.remove(partition);
    FluxSink<Partition> partitions = sink;
    if (ended.incrementAndGet() == settings.endAfterConnections() && partitions != null) {
      partitions.complete();
    }
    endLoopsAfterTheLast();
  }

  /** Decoders run on the event loops, so these end when the last partition has. */
  private void endLoopsAfterTheLast() {
    if (closed && open.isEmpty() && loopsEnding.compareAndSet(false, true)) {
      loops.disposeLater(Duration.ZERO, LOOPS_END_WITHIN).subscribe();
    }
  }

  /** Accepts while partitions are requested; decided on the listener's event loop, so that the latest decision stands. */
  private void acceptAsWanted() {
    Channel listener = server.channel();
    FluxSink<Partition> partitions = sink;
    if (partitions != null && listener.isOpen()) {
      listener
          .eventLoop()
          .execute(() -> listener.config().setAutoRead(partitions.requestedFromDownstream() > 0));
    }
  }

  /** Numbers connections, and turns away those beyond the limits. On the listener's event loop. */
  private final class Admission extends ChannelInboundHandlerAdapter {
    private int accepted;

    /** Open ones; each counts itself out on its own event loop. */
    private final AtomicInteger connections = new AtomicInteger();

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      Channel connection = (Channel) message;
      if (closed) {
        connection.unsafe().closeForcibly();
        return;
      }
      if (connections.get() >= settings.maxConnections() || accepted == limit()) {
        turnAway(connection);
        return;
      }
      connections.incrementAndGet();
      connection.closeFuture().addListener(closed -> connections.decrementAndGet());
      connection.attr(NUMBER).set(accepted++);
      context.fireChannelRead(connection);
      if (accepted == limit()) {
        var _ = context.close();
      }
    }

    private int limit() {
      return settings.endAfterConnections() == 0 ? -1 : settings.endAfterConnections();
    }

    private void turnAway(Channel connection) {
      refused.increment();
      long count = refused.sum();
      // Each doubling only: whoever floods the listener must not flood the log.
      if (Long.bitCount(count) == 1) {
        log.warn(
            "source.tcp: connection from {} closed at once: {} connections are open, and source.tcp.maxConnections is {} ({} refused so far)",
            connection.remoteAddress(),
            connections.get(),
            settings.maxConnections(),
            count);
      }
      connection.unsafe().closeForcibly();
    }
  }
}
