package io.penstock.config;

import io.penstock.config.Key.Unit;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where rows come from. */
@Planned({"kafka", "http", "websocket", "flight", "host"})
public sealed interface SourceConfig {

  /**
   * Rows as lines over TCP; each connection is a partition, or with {@code acknowledge} each producer.
   *
   * @param port 0: any free one
   * @param bind address to listen on
   * @param insecure must be true to listen on anything but loopback
   * @param format how bytes are read
   * @param maxLineBytes longer rows are rejected
   * @param maxConnections further ones are closed at once
   * @param idleTimeout a connection without a byte for so long is closed; zero, {@code none}: never
   * @param endAfterConnections the run ends when so many connections have come and gone; 0, {@code none}: never
   * @param feed a sender built in, for demonstrations: it connects to the listener, and the run ends when it has sent all; it
   *     implies the schema
   * @param acknowledge where senders number their rows and are told which are received and which are durable, so that each row
   *     is trained on once though they send it again (docs/tcp-protocol.md); every sender must speak that protocol then
   */
  @Planned({"tls", "token", "frames"})
  record Tcp(
      @Key(byDefault = "9000", range = "[0, 65535]", mayChange = true) int port,
      @Key(byDefault = "127.0.0.1", mayChange = true) String bind,
      @Key(byDefault = "false", mayChange = true) boolean insecure,
      @Key(byDefault = "csv") FormatConfig format,
      @Key(byDefault = "1MiB", range = "[64B, 64MiB]", unit = Unit.BYTES, mayChange = true)
          int maxLineBytes,
      @Key(byDefault = "256", range = "[1, 65536]", mayChange = true) int maxConnections,
      @Key(byDefault = "none", none = "0s", range = "[0s, 30d]", mayChange = true)
          Duration idleTimeout,
      @Key(byDefault = "0", none = "0", range = "[0, 1_000_000_000]", mayChange = true)
          int endAfterConnections,
      @Nullable FeedConfig feed,
      @Nullable AcknowledgeConfig acknowledge)
      implements SourceConfig {
    /** Checks ranges, and that nobody listens to the world by oversight. */
    public Tcp {
      Setting.check(
          Tcp.class,
          port,
          bind,
          insecure,
          format,
          maxLineBytes,
          maxConnections,
          idleTimeout,
          endAfterConnections);
      Fit.checkBind(bind, insecure);
      if (acknowledge != null && endAfterConnections > 0) {
        throw new InvalidSetting(
            "endAfterConnections",
            "must be left out with acknowledge, where senders connect as often as they like (acknowledge.endAfterProducers?)");
      }
      if (feed != null && !(format instanceof FormatConfig.Csv)) {
        throw new InvalidSetting("format", "must be csv with feed, which sends that");
      }
      if (acknowledge != null && feed != null) {
        throw new InvalidSetting(
            "acknowledge", "must be left out with feed, which sends without acknowledgements");
      }
    }

    /** The same, on another port. */
    public Tcp withPort(int another) {
      return new Tcp(
          another,
          bind,
          insecure,
          format,
          maxLineBytes,
          maxConnections,
          idleTimeout,
          endAfterConnections,
          feed,
          acknowledge);
    }

    /** The same, which ends after so many connections. */
    public Tcp withEndAfterConnections(int connections) {
      return new Tcp(
          port,
          bind,
          insecure,
          format,
          maxLineBytes,
          maxConnections,
          idleTimeout,
          connections,
          feed,
          acknowledge);
    }
  }

  /**
   * Acknowledgements to senders ("producers"), by number of the row.
   *
   * @param maxProducers remembered, connected or not. Beyond that, the one that has ended longest ago is forgotten; where none
   *     has, a new one is refused
   * @param window rows that a producer may send beyond what is durable, where checkpoints are kept; one that announces fewer
   *     is held to fewer. A checkpoint is asked for when three quarters of it are used; 0, {@code none}: no bound but the
   *     producer's own
   * @param endAfterProducers the run ends when so many producers have said that they sent all; 0, {@code none}: never
   */
  record AcknowledgeConfig(
      @Key(byDefault = "1024", range = "[1, 65536]") int maxProducers,
      @Key(byDefault = "1_000_000", none = "0", range = "[0, inf)") long window,
      @Key(byDefault = "0", none = "0", range = "[0, 65536]") int endAfterProducers) {
    /** Checks ranges. */
    public AcknowledgeConfig {
      Setting.check(AcknowledgeConfig.class, maxProducers, window, endAfterProducers);
    }
  }

  /**
   * A file, read from its beginning.
   *
   * @param path of the file, from the working directory; {@code .gz} and {@code .zst} are decompressed
   * @param format how bytes are read
   * @param maxLineBytes longer rows are rejected
   * @param passes how many times it is read; rows are numbered on
   */
  @Planned({"rate"})
  record File(
      String path,
      @Key(byDefault = "csv") FormatConfig format,
      @Key(byDefault = "1MiB", range = "[64B, 64MiB]", unit = Unit.BYTES, mayChange = true)
          int maxLineBytes,
      @Key(byDefault = "1", range = "[1, 1_000_000]", mayChange = true) int passes)
      implements SourceConfig {
    /** Checks ranges. */
    public File {
      Setting.check(File.class, path, format, maxLineBytes, passes);
      if (path.isBlank()) {
        throw new InvalidSetting("path", "must name a file, not be empty");
      }
    }
  }

  /**
   * A synthetic stream of the literature; it implies the schema.
   *
   * @param stream which one
   * @param records rows; 0, {@code none}: without end
   * @param seed of its random numbers
   * @param concept index of the classification function: 0 to 3 (SEA), 0 to 9 (Agrawal)
   * @param noise share of labels (SEA) or values (Agrawal) that are disturbed
   * @param drift a change of the concept on the way
   */
  record Generator(
      GeneratorStream stream,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) long records,
      @Key(byDefault = "1") long seed,
      @Key(byDefault = "0", range = "[0, 9]") int concept,
      @Key(byDefault = "0", range = "[0, 1]", unit = Unit.SHARE) double noise,
      @Nullable DriftConfig drift)
      implements SourceConfig {
    /** Checks ranges, and that the drift happens on the way. */
    public Generator {
      checkConcept(stream, "concept", concept);
      Setting.check(Generator.class, stream, records, seed, concept, noise);
      if (drift != null) {
        checkConcept(stream, "drift.to", drift.to());
        if (drift.to() == concept) {
          throw new InvalidSetting(
              "drift.to", "must be another concept, not " + concept + " again");
        }
        if (drift.kind() == DriftKind.GRADUAL && drift.width() < 1) {
          throw new InvalidSetting("drift.width", "must be at least 1 row, not " + drift.width());
        }
        if (records > 0 && drift.at() >= records) {
          throw new InvalidSetting(
              "drift.at", "must be below the " + records + " records, not " + drift.at());
        }
      }
    }

    private static void checkConcept(GeneratorStream stream, String key, int concept) {
      int last = stream.concepts() - 1;
      if (concept < 0 || concept > last) {
        throw new InvalidSetting(key, "must be 0 to " + last + ", not " + concept);
      }
    }
  }

  /** The streams that are built in. */
  @Planned({"hyperplane", "rbf", "led", "friedman"})
  enum GeneratorStream {
    /** Three numbers, two classes, four concepts. */
    SEA(4),
    /** Nine numbers, two classes, ten concepts. */
    AGRAWAL(10);

    private final int concepts;

    GeneratorStream(int concepts) {
      this.concepts = concepts;
    }

    /** Number of classification functions. */
    public int concepts() {
      return concepts;
    }
  }

  /**
   * A change of the concept.
   *
   * @param at the row where it happens; for a gradual one, its middle
   * @param kind abrupt or gradual
   * @param width rows over which a gradual one takes place
   * @param to index of the classification function afterwards
   */
  record DriftConfig(
      @Key(range = "[0, inf)") long at,
      @Key(byDefault = "abrupt") DriftKind kind,
      @Key(byDefault = "0", range = "[0, inf)") long width,
      @Key(byDefault = "1", range = "[0, 9]") int to) {
    /** Checks ranges; {@link Generator} checks what depends on the stream. */
    public DriftConfig {
      if (at < 0 || width < 0) {
        Setting.check(DriftConfig.class, at, kind, width);
      }
    }
  }

  /** How a concept changes. */
  enum DriftKind {
    /** From one row to the next. */
    ABRUPT,
    /** By a sigmoid probability of the new concept. */
    GRADUAL
  }

  /**
   * What a built-in sender sends.
   *
   * @param generator the stream
   * @param rate rows a second; 0, {@code none}: as fast as they are taken
   */
  record FeedConfig(
      Generator generator,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) double rate) {
    /** Checks ranges. */
    public FeedConfig {
      Setting.check(FeedConfig.class, generator, rate);
    }
  }
}
