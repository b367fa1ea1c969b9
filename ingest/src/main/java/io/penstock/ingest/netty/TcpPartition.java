package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.penstock.ingest.codec.DecodedFlux;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.netty.Connection;

/** One connection, from acceptance until its last item is taken or nobody wants it any more. */
final class TcpPartition {
  /** How long a sender has to read why its connection is closed. */
  private static final long LINGER_SECONDS = 1;

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

  /** What is to be done when the connection has closed; its own lock guards it, and whether it has. */
  private final List<Runnable> whenClosed = new ArrayList<>();

  private boolean closed;

  private volatile boolean admitted;

  /** To be made on the connection's event loop. */
  TcpPartition(int number, Connection connection, Consumer<TcpPartition> onEnd) {
    this.number = number;
    this.connection = connection;
    this.onEnd = onEnd;
    loop = connection.channel().eventLoop();
    sender = connection.channel().remoteAddress();
    bytes = new ConnectionBytes(loop);
    connection.inbound().receive().subscribe(bytes);
    // Now or never: Netty refuses listeners once a channel has left its loop.
    connection.channel().closeFuture().addListener(future -> closed());
  }

  /** In the order of acceptance, from 0. */
  int number() {
    return number;
  }

  EventLoop loop() {
    return loop;
  }

  /** Whether it may send: it has given the token, or none is asked for. */
  boolean isAdmitted() {
    return admitted;
  }

  void admit() {
    admitted = true;
  }

  /** As {@link ConnectionBytes#look}. */
  <T> Mono<T> look(ConnectionBytes.Look<T> look, String cutShort) {
    return bytes.look(look, cutShort);
  }

  /** The rows; subscribed once, from any thread. */
  Flux<StreamItem> items(
      PartitionCursor cursor, SourceContext context, Supplier<RowDecoder> decoder) {
    return Flux.defer(() -> read(cursor, context, decoder));
  }

  private Flux<StreamItem> read(
      PartitionCursor cursor, SourceContext context, Supplier<RowDecoder> decoder) {
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

  /**
   * The rows of a producer, whose partition goes on with its next connection: completes when these bytes have ended, and only
   * then. The connection stays open behind an empty line. To be subscribed once, on the event loop.
   *
   * @param received the bytes as the decoder is to see them
   */
  Flux<StreamItem> lines(
      UnaryOperator<Flux<ByteBuf>> received, RowDecoder decoder, SourceContext context) {
    if (!phase.compareAndSet(Phase.NEW, Phase.READ)) {
      return Flux.empty();
    }
    AtomicInteger parts = new AtomicInteger(2);
    Runnable partEnded =
        () -> {
          if (parts.decrementAndGet() == 0) {
            end();
          }
        };
    onClose(partEnded);
    return DecodedFlux.decode(received.apply(bytes), decoder, context, loop)
        .doFinally(
            signal -> {
              if (signal != SignalType.ON_COMPLETE || !decoder.isComplete()) {
                closeChannel();
              }
              partEnded.run();
            });
  }

  /**
   * Has {@link #lines} leave the connection open behind an empty line. On the event loop.
   *
   * @param onBytes called for bytes that come behind it
   */
  void keepOpenBehindRows(Runnable onBytes) {
    bytes.watchWhenCancelled(onBytes);
  }

  /** Leaves the connection open however long no byte comes. On the event loop. */
  void expectNothing() {
    if (connection.channel().pipeline().get(IdleTimeout.class) != null) {
      connection.channel().pipeline().remove(IdleTimeout.class);
    }
  }

  /** Sends a line; drops it where the sender reads none of those before. On the event loop. */
  boolean say(String line) {
    Channel channel = connection.channel();
    if (!channel.isActive() || !channel.isWritable()) {
      return false;
    }
    var _ = channel.writeAndFlush(Unpooled.copiedBuffer(line + '\n', StandardCharsets.UTF_8));
    return true;
  }

  /** Tells a sender that does not keep to the protocol why it is closed; closes one that has broken off. On the event loop. */
  void refuse(Throwable why) {
    if (why instanceof RefusedException refused) {
      log.warn("{} closed: {}", this, refused.line());
      dismiss(refused.line());
    } else {
      log.debug("{}: {}", this, why.toString());
      close();
    }
  }

  /** Sends a last line, takes no further byte, and closes when the line can have been read. On the event loop. */
  void dismiss(String line) {
    say(line);
    bytes.cutOff(() -> {});
    Channel channel = connection.channel();
    if (!channel.isActive()) {
      close();
      return;
    }
    if (channel instanceof DuplexChannel duplex) {
      var _ = duplex.shutdownOutput();
    }
    // Closed at once with bytes unread, the connection would be reset, and the line lost.
    var closing = loop.schedule(this::close, LINGER_SECONDS, TimeUnit.SECONDS);
    onClose(
        () -> {
          closing.cancel(false);
          close();
        });
  }

  boolean isOpen() {
    return connection.channel().isOpen();
  }

  /** For people: which connection this is. */
  @Override
  public String toString() {
    return "connection %d from %s".formatted(number, sender);
  }

  /** Runs {@code task} when the connection has closed: at once where it has. */
  void onClose(Runnable task) {
    synchronized (whenClosed) {
      if (!closed) {
        whenClosed.add(task);
        return;
      }
    }
    task.run();
  }

  private void closed() {
    List<Runnable> tasks;
    synchronized (whenClosed) {
      closed = true;
      tasks = List.copyOf(whenClosed);
      whenClosed.clear();
    }
    tasks.forEach(Runnable::run);
  }

  /** On the loop, where a channel cannot leave it meanwhile: Netty refuses to close one that has. */
  private void closeChannel() {
    if (!loop.inEventLoop()) {
      try {
        loop.execute(this::closeChannel);
      } catch (RejectedExecutionException e) {
        log.debug("{}: its loop has ended, and the connection with it", this, e);
      }
      return;
    }
    if (connection.channel().isOpen() && connection.channel().isRegistered()) {
      var _ = connection.channel().close();
    }
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
      closeChannel();
    }
  }

  private void end() {
    phase.set(Phase.ENDED);
    connection.dispose();
    onEnd.accept(this);
  }
}
