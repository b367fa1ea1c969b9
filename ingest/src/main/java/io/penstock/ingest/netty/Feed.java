package io.penstock.ingest.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.ingest.generator.GeneratorCsv;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.netty.resources.LoopResources;

/**
 * A sender: streams a file or a synthetic stream to a TCP endpoint, at a rate or as fast as it is taken. Immutable; every
 * subscription is a connection with an event loop of its own, and cancelling it closes them.
 *
 * @param host name or address of the receiver
 * @param port of the receiver
 * @param linesPerSecond the rate; 0: as fast as they are taken
 * @param connectWithin how long to go on trying while nothing listens there; zero: one try
 */
public record Feed(String host, int port, double linesPerSecond, Duration connectWithin) {
  private static final int READ_BYTES = 64 << 10;
  private static final WriteBufferWaterMark AHEAD = new WriteBufferWaterMark(128 << 10, 512 << 10);
  private static final Duration RETRY_EVERY = Duration.ofMillis(50);

  /** Checks the settings. */
  public Feed {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("feed: port must be 1 to 65535, not " + port);
    }
    if (!(linesPerSecond >= 0 && linesPerSecond <= 1e9)) {
      throw new IllegalArgumentException(
          "feed: rate must be 0 (no limit) to 1e9 lines a second, not " + linesPerSecond);
    }
  }

  /** As fast as the receiver takes it, with one try to connect. */
  public static Feed to(String host, int port) {
    return new Feed(host, port, 0, Duration.ZERO);
  }

  /** The same at so many lines a second; 0: without limit. */
  public Feed atRate(double linesPerSecond) {
    return new Feed(host, port, linesPerSecond, connectWithin);
  }

  /** The same, waiting so long for somebody to listen. */
  public Feed connectingWithin(Duration connectWithin) {
    return new Feed(host, port, linesPerSecond, connectWithin);
  }

  /** Whether a file begins with the names of its columns: any but JSON's ({@code .ndjson}, {@code .jsonl}) does. */
  public static boolean hasHeader(Path path) {
    String name = path.toString().toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
    return !name.endsWith(".ndjson") && !name.endsWith(".jsonl");
  }

  /**
   * Sends a file byte by byte; one whose name ends in {@code .gz} is decompressed.
   *
   * @param header whether the first line names columns: then it is no row
   */
  public Mono<FeedResult> file(Path path, boolean header) {
    return send(() -> open(path, header ? 1 : 0));
  }

  /**
   * Sends lines as they are read.
   *
   * @param lines opened by every subscription, read on its event loop, and closed at its end
   * @param header whether the first line names columns: then it is no row
   */
  public Mono<FeedResult> lines(Callable<InputStream> lines, boolean header) {
    return send(() -> new StreamBody(lines.call(), header ? 1 : 0));
  }

  /**
   * Sends the rows of a synthetic stream as CSV.
   *
   * @param header whether a line with the names of the columns comes first
   */
  public Mono<FeedResult> generator(Generator generator, boolean header) {
    return send(() -> new GeneratorBody(new GeneratorCsv(generator), header));
  }

  private FeedBody open(Path path, int headerLines) {
    try {
      boolean compressed = path.toString().endsWith(".gz");
      if (!compressed && linesPerSecond == 0) {
        return new RegionBody(path, headerLines);
      }
      InputStream in = Files.newInputStream(path);
      try {
        return new StreamBody(compressed ? new GZIPInputStream(in, READ_BYTES) : in, headerLines);
      } catch (IOException e) {
        in.close();
        throw e;
      }
    } catch (NoSuchFileException e) {
      throw new FeedException("feed: no such file: " + path, e);
    } catch (IOException e) {
      throw new FeedException("feed: cannot read %s: %s".formatted(path, e.getMessage()), e);
    }
  }

  private Mono<FeedResult> send(Callable<FeedBody> body) {
    return Mono.create(result -> new Attempt(body, result).begin());
  }

  /** One subscription. Confined to its event loop. */
  private final class Attempt {
    private final Callable<FeedBody> bodies;
    private final MonoSink<FeedResult> result;
    private final LoopResources loops = LoopResources.create("penstock-feed", 1, true);
    private final EventLoopGroup group = loops.onClient(true);
    private final long begun = group.ticker().nanoTime();
    private @Nullable FeedBody body;
    private @Nullable FeedHandler handler;
    private @Nullable Channel channel;
    private boolean over;

    private Attempt(Callable<FeedBody> bodies, MonoSink<FeedResult> result) {
      this.bodies = bodies;
      this.result = result;
    }

    private void begin() {
      // Called at the end of whichever kind: result, error, cancellation.
      result.onDispose(() -> group.execute(this::end));
      group.execute(this::open);
    }

    private void open() {
      try {
        body = bodies.call();
        connect();
      } catch (Exception e) {
        result.error(e);
      }
    }

    private void connect() {
      if (over) {
        return;
      }
      FeedHandler handler = new FeedHandler(Objects.requireNonNull(body), linesPerSecond, result);
      ChannelFuture connecting =
          new Bootstrap()
              .group(group)
              .channelFactory(() -> loops.onChannel(SocketChannel.class, group))
              .option(ChannelOption.WRITE_BUFFER_WATER_MARK, AHEAD)
              .option(ChannelOption.TCP_NODELAY, true)
              .handler(handler)
              .connect(host, port);
      this.handler = handler;
      channel = connecting.channel();
      connecting.addListener(connected -> connected(connected.cause()));
    }

    private void connected(@Nullable Throwable failure) {
      if (failure == null) {
        return;
      }
      boolean refused = failure instanceof ConnectException;
      if (refused && group.ticker().nanoTime() - begun < connectWithin.toNanos()) {
        var _ = group.schedule(this::connect, RETRY_EVERY.toNanos(), TimeUnit.NANOSECONDS);
        return;
      }
      result.error(
          new FeedException(
              "feed: cannot connect to %s:%d: %s; %s"
                  .formatted(
                      host,
                      port,
                      failure.getMessage(),
                      refused
                          ? "start what should listen there first, or correct host and port"
                          : "correct host and port"),
              failure));
    }

    private void end() {
      over = true;
      if (handler != null && channel != null) {
        handler.stop();
        var _ = channel.close();
      }
      try {
        if (body != null) {
          body.close();
        }
      } catch (IOException e) {
        throw new FeedException("feed: cannot close what was sent: " + e.getMessage(), e);
      } finally {
        loops.disposeLater(Duration.ZERO, Duration.ofSeconds(1)).subscribe();
      }
    }
  }
}
