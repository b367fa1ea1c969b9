package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * From the sources as configured to those that run: the one place that knows all kinds. A listener listens from its making on,
 * and accepts when its header or its rows are wanted.
 */
final class Sources implements AutoCloseable {
  private final Config config;
  private final List<Opened> all = new ArrayList<>();

  /**
   * A source and its listener.
   *
   * @param listener null where it is no listener
   */
  private record Opened(String name, SourceConfig config, @Nullable TcpListener listener) {
    /** As an address to send to, or a name. */
    String address() {
      return switch (config) {
        case SourceConfig.Tcp tcp -> "tcp://" + tcp.bind() + ":" + port();
        case SourceConfig.File file -> "file " + file.path();
        case SourceConfig.Generator generator ->
            "generator " + SourceConfig.GeneratorStream.word(generator.stream());
        case SourceConfig.Host _ -> "this machine";
      };
    }

    int port() {
      return listener == null ? 0 : listener.port();
    }

    /** Names of the columns; empty where the schema itself gives them, nothing where only the first sender knows them. */
    Optional<List<String>> columnNames(boolean wanted) {
      return switch (config) {
        case SourceConfig.Generator _, SourceConfig.Host _ -> Optional.of(List.of());
        case SourceConfig.File file when file.format() instanceof FormatConfig.Json && !wanted ->
            Optional.of(List.of());
        case SourceConfig.File file -> Optional.of(FileSource.columnNames(file));
        case SourceConfig.Tcp tcp ->
            tcp.format().header() && wanted
                ? Optional.empty()
                : Optional.of(tcp.format().columns());
      };
    }

    Source open(BlockSchema schema, SourceContext context) {
      return switch (config) {
        case SourceConfig.Generator generator -> new GeneratorSource(generator, context);
        case SourceConfig.Host host -> new HostSource(host, context);
        case SourceConfig.File file -> new FileSource(file, schema, context);
        case SourceConfig.Tcp _ -> Objects.requireNonNull(listener).open(schema, context);
      };
    }
  }

  /** A listener with a sender built in. */
  record Fed(SourceConfig.Tcp tcp, SourceConfig.FeedConfig feed, int port) {}

  /**
   * The sources of {@code config}.
   *
   * @throws SourceException where an address cannot be listened on, or a token cannot be read
   */
  Sources(Config config) {
    this(config, Map.of());
  }

  /**
   * @param ports to listen on, by name, in place of those that are configured
   */
  private Sources(Config config, Map<String, Integer> ports) {
    this.config = config;
    try {
      config.allSources().forEach((name, source) -> add(name, source, ports));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void add(String name, SourceConfig source, Map<String, Integer> ports) {
    try {
      all.add(opened(name, source, ports));
    } catch (SourceException e) {
      throw inPlace(name, e);
    }
  }

  /** A source knows its own keys, but not where it stands. */
  private SourceException inPlace(String name, SourceException e) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith("source.")
        ? new SourceException(config.sourceKey(name) + message.substring("source".length()), e)
        : e;
  }

  private static Opened opened(String name, SourceConfig source, Map<String, Integer> ports) {
    return new Opened(
        name,
        source,
        source instanceof SourceConfig.Tcp tcp
            ? TcpListener.bind(
                endingWithItsFeed(tcp).withPort(ports.getOrDefault(name, tcp.port())))
            : null);
  }

  /** Names in files and meters, by the index of the source. */
  static List<String> names(Config config) {
    return List.copyOf(config.allSources().keySet());
  }

  /** What each source has of memory and of the trainer's time, in proportion, by its index. */
  static List<Integer> shares(Config config) {
    return names(config).stream()
        .map(name -> config.pipeline().shares().getOrDefault(name, 1))
        .toList();
  }

  /** How the bytes of a source are read; nothing where it makes its rows itself. */
  static Optional<FormatConfig> format(SourceConfig source) {
    return switch (source) {
      case SourceConfig.Tcp tcp -> Optional.of(tcp.format());
      case SourceConfig.File file -> Optional.of(file.format());
      case SourceConfig.Generator _, SourceConfig.Host _ -> Optional.empty();
    };
  }

  /** Where rows come from, as addresses to send to or names. */
  String address() {
    return all.size() == 1
        ? all.getFirst().address()
        : all.stream()
            .map(source -> source.name + " (" + source.address() + ")")
            .collect(Collectors.joining(", "));
  }

  /** Whether the rows of all can be had once more: by reading them again, or from producers that keep what is not durable. */
  boolean replay() {
    return config.allSources().values().stream().allMatch(Sources::replays);
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
    Map<String, Integer> ports =
        all.stream()
            .filter(source -> source.listener != null)
            .collect(Collectors.toMap(Opened::name, Opened::port));
    close();
    for (Opened source : all) {
      if (source.listener != null) {
        source.listener.awaitClosed();
      }
    }
    return new Sources(config, ports);
  }

  /** Listeners with a sender built in. */
  List<Fed> fed() {
    return all.stream()
        .filter(source -> source.config instanceof SourceConfig.Tcp tcp && tcp.feed() != null)
        .map(
            source -> {
              SourceConfig.Tcp tcp = (SourceConfig.Tcp) source.config;
              return new Fed(tcp, Objects.requireNonNull(tcp.feed()), source.port());
            })
        .toList();
  }

  /** Connections that were not taken, or not to their end, since the listener listens. */
  RunSnapshot.Refused refused() {
    List<TcpListener> listeners =
        all.stream().flatMap(source -> Optional.ofNullable(source.listener).stream()).toList();
    return new RunSnapshot.Refused(
        listeners.stream().mapToLong(TcpListener::refusedConnections).sum(),
        listeners.stream().mapToLong(TcpListener::idleConnections).sum(),
        listeners.stream().mapToLong(TcpListener::unauthorizedConnections).sum());
  }

  /** Threads that rows are decoded on at most. */
  int threads() {
    return all.stream().mapToInt(source -> source.listener == null ? 1 : 2).sum();
  }

  /**
   * The names of the columns, empty where the schema itself gives them; nothing where only the first sender knows them. Of several
   * sources, those of the first that has some.
   *
   * @throws SourceException where they cannot be read
   */
  Optional<List<String>> columnNames() {
    boolean wanted = SchemaResolver.hasPatterns(config.schema());
    List<List<String>> known =
        all.stream().flatMap(source -> source.columnNames(wanted).stream()).toList();
    Optional<List<String>> named = known.stream().filter(names -> !names.isEmpty()).findFirst();
    if (named.isPresent() || (wanted && known.size() < all.size())) {
      return named;
    }
    return Optional.of(List.of());
  }

  /** As {@link TcpListener#header} of the first listener, where {@link #columnNames} are not there. */
  <T> Mono<T> header(Function<List<String>, T> use) {
    return all.stream()
        .filter(source -> source.columnNames(true).isEmpty())
        .flatMap(source -> Optional.ofNullable(source.listener).stream())
        .findFirst()
        .map(listener -> listener.header(use))
        .orElseGet(
            () ->
                Mono.error(new IllegalStateException("only a listener has a header to wait for")));
  }

  /**
   * The sources themselves.
   *
   * @param context of each, by its index
   * @throws SourceException where one cannot be read
   */
  List<Source> open(BlockSchema schema, IntFunction<SourceContext> context) {
    return IntStream.range(0, all.size())
        .mapToObj(i -> all.get(i).open(schema, context.apply(i)))
        .toList();
  }

  /** Stops listening and closes every connection. */
  @Override
  public void close() {
    for (Opened source : all) {
      if (source.listener != null) {
        source.listener.close();
      }
    }
  }

  /** With a sender built in, the run ends when that has sent all. */
  private static SourceConfig.Tcp endingWithItsFeed(SourceConfig.Tcp tcp) {
    return tcp.feed() == null || tcp.endAfterConnections() > 0
        ? tcp
        : tcp.withEndAfterConnections(1);
  }
}
