package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SchemaResolver;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.file.FileSource;
import io.penstock.ingest.generator.GeneratorSource;
import io.penstock.ingest.host.HostSource;
import io.penstock.ingest.netty.TcpListener;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * From the source as configured to the one that runs: the one place that knows all kinds. A listener listens from its making
 * on, and accepts when its header or its rows are wanted.
 */
final class Sources implements AutoCloseable {
  private final Config config;
  private final @Nullable TcpListener listener;

  /**
   * The source of {@code config}.
   *
   * @throws SourceException where its address cannot be listened on
   */
  Sources(Config config) {
    this(config, config.source() instanceof SourceConfig.Tcp tcp ? tcp.port() : 0);
  }

  private Sources(Config config, int port) {
    this.config = config;
    listener =
        config.source() instanceof SourceConfig.Tcp tcp
            ? TcpListener.bind(endingWithItsFeed(tcp).withPort(port))
            : null;
  }

  /** Its name in files and meters. */
  static String name(SourceConfig source) {
    return switch (source) {
      case SourceConfig.Tcp _ -> "tcp";
      case SourceConfig.File _ -> "file";
      case SourceConfig.Generator _ -> "generator";
      case SourceConfig.Host _ -> "host";
    };
  }

  /** Where rows come from, as an address to send to or a name. */
  String address() {
    return switch (config.source()) {
      case SourceConfig.Tcp tcp -> "tcp://" + tcp.bind() + ":" + port();
      case SourceConfig.File file -> "file " + file.path();
      case SourceConfig.Generator generator ->
          "generator " + SourceConfig.GeneratorStream.word(generator.stream());
      case SourceConfig.Host _ -> "this machine";
    };
  }

  /** Whether rows can be had once more: by reading them again, or from producers that keep what is not durable. */
  boolean replays() {
    return replays(config.source());
  }

  static boolean replays(SourceConfig source) {
    return switch (source) {
      case SourceConfig.Tcp tcp -> tcp.acknowledge() != null;
      case SourceConfig.File _, SourceConfig.Generator _ -> true;
      case SourceConfig.Host _ -> false;
    };
  }

  /** Closes these, and opens them anew where they were: a listener listens on the same port. */
  Sources reopened() {
    int port = port();
    close();
    if (listener != null) {
      listener.awaitClosed();
    }
    return new Sources(config, port);
  }

  /** The port that a listener listens on; 0 where there is none. */
  int port() {
    return listener == null ? 0 : listener.port();
  }

  /** Threads that rows are decoded on at most. */
  int threads() {
    return listener == null ? 1 : 2;
  }

  /**
   * The names of the columns, empty where the schema itself gives them; nothing where only the first sender knows them.
   *
   * @throws SourceException where they cannot be read
   */
  Optional<List<String>> columnNames() {
    return switch (config.source()) {
      case SourceConfig.Generator _, SourceConfig.Host _ -> Optional.of(List.of());
      case SourceConfig.File file ->
          Optional.of(
              file.format().csv().header()
                  ? FileSource.header(file)
                  : file.format().csv().columns());
      case SourceConfig.Tcp tcp ->
          tcp.format().csv().header() && SchemaResolver.hasPatterns(config.schema())
              ? Optional.empty()
              : Optional.of(tcp.format().csv().columns());
    };
  }

  /** As {@link TcpListener#header}, where {@link #columnNames} are not there. */
  <T> Mono<T> header(Function<List<String>, T> use) {
    return listener == null
        ? Mono.error(new IllegalStateException("only a listener has a header to wait for"))
        : listener.header(use);
  }

  /**
   * The source itself.
   *
   * @throws SourceException where it cannot be read
   */
  Source open(BlockSchema schema, SourceContext context) {
    return switch (config.source()) {
      case SourceConfig.Generator generator -> new GeneratorSource(generator, context);
      case SourceConfig.Host host -> new HostSource(host, context);
      case SourceConfig.File file -> new FileSource(file, schema, context);
      case SourceConfig.Tcp _ -> Objects.requireNonNull(listener).open(schema, context);
    };
  }

  /** Stops listening and closes every connection. */
  @Override
  public void close() {
    if (listener != null) {
      listener.close();
    }
  }

  /** With a sender built in, the run ends when that has sent all. */
  private static SourceConfig.Tcp endingWithItsFeed(SourceConfig.Tcp tcp) {
    return tcp.feed() == null || tcp.endAfterConnections() > 0
        ? tcp
        : tcp.withEndAfterConnections(1);
  }
}
