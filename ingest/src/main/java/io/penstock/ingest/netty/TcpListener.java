package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.util.AttributeKey;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.HeaderScanner;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.SourceContext;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.netty.ChannelBindException;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/**
 * Listens, and accepts connections one by one while somebody wants them; what nobody wants yet waits in the kernel. Bound
 * before the schema is known, so that {@link #header} can ask the first sender for it; {@link #open} makes the source.
 */
public final class TcpListener implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TcpListener.class);
  private static final AttributeKey<Integer> NUMBER = AttributeKey.valueOf("penstock.partition");
  private static final int MOST_LOOPS = 2;
  private static final Duration LOOPS_END_WITHIN = Duration.ofSeconds(1);
  private static final int FIRST_READ_BYTES = 64 << 10;
  private static final int LARGEST_READ_BYTES = 1 << 20;
  private static final Duration TOKEN_WITHIN = Duration.ofSeconds(10);
  private static final String CUT_SHORT = "closed in the handshake";

  private final Tcp settings;
  private final TokenCheck tokens;
  private final LoopResources loops;
  private final DisposableServer server;

  /** Connections whose partition has not ended. */
  private final Set<TcpPartition> open = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean loopsEnding = new AtomicBoolean();

  /** Connections that {@code endAfterConnections} counts: where a token is asked for, those that gave it. */
  private final AtomicInteger counted = new AtomicInteger();

  /** Those of them that have ended. */
  private final AtomicInteger ended = new AtomicInteger();

  private final LongAdder refused = new LongAdder();
  private final LongAdder idle = new LongAdder();
  private volatile @Nullable Taker taker;

  /** The connection whose header was read, until a source takes it. */
  private volatile @Nullable TcpPartition first;

  private volatile boolean closed;

  /** Who gets the connections. */
  interface Taker {
    /** Whether the next one may be accepted. Any thread. */
    boolean wantsMore();

    /** Takes one, on its event loop. */
    void take(TcpPartition partition);

    /** As many have come and gone as were to come. */
    void noMore();
  }

  private TcpListener(Tcp settings, Duration tokenWithin) {
    this.settings = settings;
    tokens = new TokenCheck(settings, tokenWithin);
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
   * A listener that accepts nothing yet.
   *
   * @throws SourceException where the address cannot be listened on, or the token cannot be read
   */
  public static TcpListener bind(Tcp settings) {
    return bind(settings, TOKEN_WITHIN);
  }

  /**
   * The same.
   *
   * @param tokenWithin time that a sender has to give the token
   */
  static TcpListener bind(Tcp settings, Duration tokenWithin) {
    return new TcpListener(settings, tokenWithin);
  }

  /** The port listened on. */
  public int port() {
    return ((InetSocketAddress) server.address()).getPort();
  }

  /**
   * Waits for the header of the first connection, which stays as it is for the source to take, header and all. A connection
   * that has no header, or one that {@code use} refuses by a {@link SourceException}, is logged and closed, and the next one
   * is waited for.
   *
   * @param use makes something of the names of the columns; on an event loop, so it must be quick
   * @return what {@code use} made; empty where the listener is closed first; a {@link SourceException} where no further
   *     connection is to come. To be subscribed once, before {@link #open}
   */
  public <T> Mono<T> header(Function<List<String>, T> use) {
    return Mono.create(
        found -> {
          taker = new HeaderTaker<>(use, found);
          if (closed) {
            found.success();
          }
          acceptAsWanted();
        });
  }

  /**
   * The source of what is received. It owns this listener from here on.
   *
   * @param schema of the blocks, the same as their pool's
   */
  public TcpSource open(BlockSchema schema, SourceContext context) {
    return new TcpSource(settings, this, schema, context);
  }

  /** Stops listening and closes every connection; rows that were received and requested still pass. */
  @Override
  public void close() {
    closed = true;
    server.dispose();
    open.forEach(TcpPartition::close);
    Taker last = taker;
    if (last instanceof HeaderTaker<?> waiting) {
      waiting.found.success();
    }
    endLoopsAfterTheLast();
  }

  /** Waits until the port is free for another listener; after {@link #close}. */
  public void awaitClosed() {
    server.onDispose().block();
  }

  /** Where the listener's own work is done. */
  EventLoop loop() {
    return server.channel().eventLoop();
  }

  boolean isClosed() {
    return closed;
  }

  /** Connections closed at once because there were too many. */
  public long refusedConnections() {
    return refused.sum();
  }

  /** Connections closed because no byte came for too long. */
  public long idleConnections() {
    return idle.sum();
  }

  /** Connections closed because they gave no token, or a wrong one. */
  public long unauthorizedConnections() {
    return tokens.failures();
  }

  /** The connection of a sender of plain lines when that may send; one that may not as an error. On its event loop. */
  Mono<TcpPartition> admitted(TcpPartition connection) {
    return connection.isAdmitted()
        ? Mono.just(connection)
        : tokens
            .inTime(connection.look(tokens::readLine, CUT_SHORT), connection)
            .doOnNext(given -> admit(connection))
            .thenReturn(connection);
  }

  /** The handshake of a producer that may send; of one that may not as an error. On its event loop. */
  Mono<Handshake> handshake(TcpPartition connection) {
    return handshake(connection, seen -> seen);
  }

  private Mono<Handshake> handshake(TcpPartition connection, UnaryOperator<ByteBuf> view) {
    return tokens.inTime(
        connection.look(
            seen ->
                Handshake.read(
                    view.apply(seen), settings.format(), settings.maxLineBytes(), tokens),
            CUT_SHORT),
        connection);
  }

  /** Where a token is asked for, only who gave it counts. */
  private void admit(TcpPartition connection) {
    if (!counts()) {
      throw new RefusedException("over", "the run takes no more connections");
    }
    connection.admit();
  }

  /** Counts a connection; false where as many have come as were to come. */
  private boolean counts() {
    int most = settings.endAfterConnections();
    int before = counted.getAndUpdate(count -> most > 0 && count == most ? count : count + 1);
    if (before + 1 == most) {
      var _ = server.channel().close();
    }
    return most == 0 || before < most;
  }

  /** Hands over to {@code next}, the first connection included where its header was read. */
  void handTo(Taker next) {
    taker = next;
    TcpPartition waiting = first;
    first = null;
    if (waiting != null) {
      waiting.loop().execute(() -> next.take(waiting));
    }
    acceptAsWanted();
  }

  /** Accepts while that is wanted; decided on the listener's event loop, so that the latest decision stands. */
  void acceptAsWanted() {
    Channel listener = server.channel();
    if (listener.isOpen()) {
      listener.eventLoop().execute(() -> listener.config().setAutoRead(isWanted()));
    }
  }

  private boolean isWanted() {
    Taker current = taker;
    return current != null && current.wantsMore();
  }

  private DisposableServer listen() {
    try {
      return TcpServer.create()
          .host(settings.bind())
          .port(settings.port())
          .runOn(loops)
          .option(
              ChannelOption.RECVBUF_ALLOCATOR,
              new ServerChannelRecvByteBufAllocator().maxMessagesPerRead(1))
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

  /** On the listener's event loop, before it accepts: nothing is accepted until somebody takes it. */
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
    TcpPartition partition =
        new TcpPartition(connection.channel().attr(NUMBER).get(), connection, this::ended);
    open.add(partition);
    if (!tokens.isAsked()) {
      partition.admit();
    }
    Taker current = taker;
    if (closed || current == null) {
      partition.close();
      return;
    }
    current.take(partition);
    acceptAsWanted();
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
    Taker current = taker;
    if (partition.isAdmitted()
        && ended.incrementAndGet() == settings.endAfterConnections()
        && current != null) {
      current.noMore();
    }
    endLoopsAfterTheLast();
  }

  /** Decoders run on the event loops, and so does the listener: these end when the last of both has. */
  private void endLoopsAfterTheLast() {
    if (closed && open.isEmpty() && loopsEnding.compareAndSet(false, true)) {
      server.onDispose().then(loops.disposeLater(Duration.ZERO, LOOPS_END_WITHIN)).subscribe();
    }
  }

  /** Takes one connection after the other until the header of one will do. */
  private final class HeaderTaker<T> implements Taker {
    private final Function<List<String>, T> use;
    private final MonoSink<T> found;
    private volatile @Nullable TcpPartition looking;
    private volatile String lastReason = "";

    HeaderTaker(Function<List<String>, T> use, MonoSink<T> found) {
      this.use = use;
      this.found = found;
    }

    @Override
    public boolean wantsMore() {
      return looking == null;
    }

    @Override
    public void take(TcpPartition partition) {
      looking = partition;
      names(partition)
          .map(use)
          .subscribe(made -> fits(partition, made), error -> refuse(partition, error));
    }

    /** Uses nothing up but a token's line: the source reads all of it again. */
    private Mono<List<String>> names(TcpPartition partition) {
      return settings.acknowledge() == null
          ? admitted(partition).flatMap(this::header)
          : handshake(partition, ByteBuf::duplicate).map(Handshake::columns);
    }

    private Mono<List<String>> header(TcpPartition partition) {
      FormatConfig.Csv csv = (FormatConfig.Csv) settings.format(); // no other has one
      HeaderScanner scanner = new HeaderScanner(csv, settings.maxLineBytes());
      return partition.look(
          seen -> scanner.scan(seen.array(), seen.readableBytes()),
          "no header: it ended before the line with the names of the columns did");
    }

    private void fits(TcpPartition partition, T made) {
      first = partition;
      found.success(made);
    }

    private void refuse(TcpPartition partition, Throwable error) {
      if (!(error instanceof SourceException || error instanceof RefusedException)) {
        found.error(error);
        return;
      }
      partition.logUnreadable(error);
      lastReason = String.valueOf(error.getMessage());
      looking = null;
      if (settings.acknowledge() == null && !(error instanceof RefusedException)) {
        partition.close();
      } else {
        partition.dismiss(RefusedException.of(error, "header").line());
      }
      acceptAsWanted();
    }

    @Override
    public void noMore() {
      found.error(
          new SourceException(
              "source.tcp: of %d connections (endAfterConnections) none had a header that fits the schema; the last one: %s"
                  .formatted(settings.endAfterConnections(), lastReason)));
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
      if (connections.get() >= settings.maxConnections() || (!tokens.isAsked() && !counts())) {
        turnAway(connection);
        return;
      }
      connections.incrementAndGet();
      connection.closeFuture().addListener(closed -> closed());
      connection.attr(NUMBER).set(accepted++);
      // The next one when this has been taken, or has gone before it could be.
      context.channel().config().setAutoRead(false);
      context.fireChannelRead(connection);
    }

    private void closed() {
      connections.decrementAndGet();
      acceptAsWanted();
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
