package io.penstock.config;

import io.penstock.config.Key.Unit;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Where rows come from. */
@Planned({"kafka", "http", "websocket", "flight"})
public sealed interface SourceConfig {

  /**
   * Rows as lines over TCP; each connection is a partition, or with {@code acknowledge} each producer.
   *
   * @param port 0: any free one
   * @param bind address to listen on
   * @param insecure must be true to listen on anything but loopback without a token
   * @param format how bytes are read
   * @param maxLineBytes longer rows are rejected
   * @param maxConnections further ones are closed at once
   * @param idleTimeout a connection without a byte for so long is closed; zero, {@code none}: never
   * @param endAfterConnections the run ends when so many connections have come and gone; 0, {@code none}: never
   * @param feed a sender built in, for demonstrations: it connects to the listener, and the run ends when it has sent all; it
   *     implies the schema
   * @param acknowledge where senders number their rows and are told which are received and which are durable, so that each row
   *     is trained on once though they send it again (docs/tcp-protocol.md); every sender must speak that protocol then
   * @param token what every sender must give first: as the line {@code token TOKEN}, with {@code acknowledge} in its first line
   *     (docs/tcp-protocol.md); one that does not within 10 s is closed
   */
  @Planned({"tls", "frames"})
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
      @Nullable AcknowledgeConfig acknowledge,
      @Nullable @Key(mayChange = true) TokenConfig token)
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
      Fit.checkBind(bind, token, insecure);
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

    /** Without a token. */
    public Tcp(
        int port,
        String bind,
        boolean insecure,
        FormatConfig format,
        int maxLineBytes,
        int maxConnections,
        Duration idleTimeout,
        int endAfterConnections,
        @Nullable FeedConfig feed,
        @Nullable AcknowledgeConfig acknowledge) {
      this(
          port,
          bind,
          insecure,
          format,
          maxLineBytes,
          maxConnections,
          idleTimeout,
          endAfterConnections,
          feed,
          acknowledge,
          null);
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
          acknowledge,
          token);
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
          acknowledge,
          token);
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
   * @param records rows; 0: without end
   * @param seed of its random numbers
   * @param concept the concept that it begins with
   * @param noise as {@link GeneratorForm#noise} says
   * @param drift changes of the concept on the way, the earliest first
   */
  @WrittenAs(GeneratorForm.class)
  record Generator(
      GeneratorStream stream,
      long records,
      long seed,
      int concept,
      double noise,
      List<DriftConfig> drift)
      implements SourceConfig, WrittenAs.Meaning {
    /** Checks ranges, that the stream has what is asked of it, and that drifts happen on the way. */
    public Generator {
      drift = List.copyOf(drift);
      checkConcept(stream, "concept", concept);
      Setting.check(GeneratorForm.class, stream, records, seed, concept, noise, drift);
      if (noise != 0 && stream.usualNoise().isEmpty()) {
        throw new InvalidSetting(
            "noise", "must be left out: " + GeneratorStream.word(stream) + " has none");
      }
      if (!drift.isEmpty() && stream.concepts() == 1) {
        throw new InvalidSetting(
            "drift",
            "must be left out: " + GeneratorStream.word(stream) + " drifts by its own settings");
      }
      for (int i = 0; i < drift.size(); i++) {
        String key = drift.size() == 1 ? "drift" : "drift[" + i + "]";
        checkDrift(stream, records, key, drift.get(i));
        int before = i == 0 ? concept : drift.get(i - 1).to();
        if (drift.get(i).to() == before) {
          throw new InvalidSetting(
              key + ".to", "must be another concept, not " + before + " again");
        }
        if (i > 0 && drift.get(i).at() <= drift.get(i - 1).at()) {
          throw new InvalidSetting(
              key + ".at",
              "must lie behind the drift before, at %d, not %d"
                  .formatted(drift.get(i - 1).at(), drift.get(i).at()));
        }
      }
    }

    private static void checkDrift(
        GeneratorStream stream, long records, String key, DriftConfig drift) {
      checkConcept(stream, key + ".to", drift.to());
      if (drift.kind() == DriftKind.GRADUAL && drift.width() < 1) {
        throw new InvalidSetting(key + ".width", "must be at least 1 row, not " + drift.width());
      }
      if (records > 0 && drift.at() >= records) {
        throw new InvalidSetting(
            key + ".at", "must be below the " + records + " records, not " + drift.at());
      }
    }

    private static void checkConcept(GeneratorStream stream, String key, int concept) {
      int last = stream.concepts() - 1;
      if (last == 0 && concept != 0) {
        throw new InvalidSetting(
            key,
            "must be left out: "
                + GeneratorStream.word(stream)
                + " has no concepts to choose from");
      }
      if (concept < 0 || concept > last) {
        throw new InvalidSetting(key, "must be 0 to " + last + ", not " + concept);
      }
    }

    @Override
    public WrittenAs.Form written() {
      return new GeneratorForm(
          stream, records, seed, concept, stream.usualNoise().isEmpty() ? null : noise, drift);
    }
  }

  /**
   * A synthetic stream as it is written.
   *
   * @param stream which one
   * @param records rows; 0, {@code none}: without end
   * @param seed of its random numbers
   * @param concept the concept that it begins with; what it means is said for each stream
   * @param noise share of what is disturbed, or a standard deviation; unless given, what the literature takes for the stream
   * @param drift changes of the concept on the way, the earliest first
   */
  record GeneratorForm(
      GeneratorStream stream,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) long records,
      @Key(byDefault = "1") long seed,
      @Key(byDefault = "0", range = "[0, 9]") int concept,
      @Key(range = "[0, 1]", unit = Unit.SHARE) @Nullable Double noise,
      @Key(byDefault = "[]", none = "[]") List<DriftConfig> drift)
      implements WrittenAs.Form {
    @Override
    public Generator meaning() {
      double disturbed = noise == null ? stream.usualNoise().orElse(0) : noise;
      return new Generator(stream, records, seed, concept, disturbed, drift);
    }
  }

  /**
   * Live metrics of this machine, a row for each tick, the label being the load of its processors during the next one; it implies the
   * schema (docs/guide.md).
   *
   * @param every the length of a tick
   * @param records rows; 0, {@code none}: without end
   */
  record Host(
      @Key(byDefault = "1s", range = "[10ms, 1h]") Duration every,
      @Key(byDefault = "0", none = "0", range = "[0, inf)", mayChange = true) long records)
      implements SourceConfig {
    /** Checks ranges. */
    public Host {
      Setting.check(Host.class, every, records);
    }
  }

  /** The synthetic streams; a row is a function of seed and row number alone. Defaults are those of the literature. */
  sealed interface GeneratorStream {
    /** With no settings of its own. */
    GeneratorStream SEA = new Sea();

    /** With no settings of its own. */
    GeneratorStream AGRAWAL = new Agrawal();

    /** Number of concepts, which {@code concept} and {@code drift.to} name by their index; 1: there is nothing to choose. */
    int concepts();

    /** What {@code noise} is unless it is configured; empty: the stream has none. */
    OptionalDouble usualNoise();

    /** The name of a stream in the configuration. */
    static String word(GeneratorStream stream) {
      return Setting.lowerFirst(stream.getClass().getSimpleName());
    }

    /** The names of all. */
    static List<String> words() {
      return List.copyOf(Setting.words(GeneratorStream.class));
    }
  }

  /**
   * SEA concepts (Street and Kim 2001): three numbers over [0, 10), two classes, told apart by whether the first two sum to more
   * than 8, 9, 7 or 9.5 ({@code concept} 0 to 3). {@code noise}, 0 unless given, is the share of labels that are flipped.
   */
  record Sea() implements GeneratorStream {
    @Override
    public int concepts() {
      return 4;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.of(0);
    }
  }

  /**
   * Loan applicants (Agrawal et al. 1993): nine numbers, two classes, ten classification functions ({@code concept} 0 to 9).
   * {@code noise}, 0 unless given, is the share of its range by which a value is disturbed.
   */
  record Agrawal() implements GeneratorStream {
    @Override
    public int concepts() {
      return 10;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.of(0);
    }
  }

  /**
   * A hyperplane that turns (Hulten et al. 2001, as in MOA): numbers over [0, 1), two classes, the sides of a hyperplane through
   * the middle. {@code noise}, 5 % unless given, is the share of labels that are flipped. There are no concepts to choose from.
   *
   * @param features numbers in a row
   * @param drifting how many of them, the first ones, have weights that drift; all where there are no more
   * @param magnitude by how much each of those weights changes from one row to the next; weights begin between 0 and 1
   * @param reversal chance, at each row, that a weight's change turns round
   */
  record Hyperplane(
      @Key(byDefault = "10", range = "[1, 1000]") int features,
      @Key(byDefault = "2", range = "[0, 1000]") int drifting,
      @Key(byDefault = "0.001", range = "[0, 1]") double magnitude,
      @Key(byDefault = "10%", range = "[0, 1]", unit = Unit.SHARE) double reversal)
      implements GeneratorStream {
    /** Checks ranges. */
    public Hyperplane {
      Setting.check(Hyperplane.class, features, drifting, magnitude, reversal);
    }

    @Override
    public int concepts() {
      return 1;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.of(0.05);
    }
  }

  /**
   * Clouds of points that move (random radial basis functions; Bifet et al. 2009, as in MOA): numbers, mostly over [0, 1), and the
   * class of the cloud that a row is from. There is neither {@code noise} nor are there concepts to choose from.
   *
   * @param features numbers in a row
   * @param classes of the label
   * @param centroids clouds
   * @param drifting how many of them, the first ones, move; all where there are no more
   * @param speed how far they move from one row to the next; they turn round at 0 and at 1
   */
  record Rbf(
      @Key(byDefault = "10", range = "[1, 1000]") int features,
      @Key(byDefault = "2", range = "[2, 1000]") int classes,
      @Key(byDefault = "50", range = "[1, 10_000]") int centroids,
      @Key(byDefault = "50", range = "[0, 10_000]") int drifting,
      @Key(byDefault = "0.0001", range = "[0, 1]") double speed)
      implements GeneratorStream {
    /** Checks ranges. */
    public Rbf {
      Setting.check(Rbf.class, features, classes, centroids, drifting, speed);
    }

    @Override
    public int concepts() {
      return 1;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.empty();
    }
  }

  /**
   * Digits on a seven-segment display (Breiman et al. 1984): 24 flags, of which 7 are the segments and 17 mean nothing; ten classes.
   * {@code noise}, 10 % unless given, is the share of segments that are inverted. {@code concept}, 0 to 7, is how many segments
   * have changed places with flags that mean nothing, so that a drift from 0 to 3 moves three of them.
   */
  record Led() implements GeneratorStream {
    @Override
    public int concepts() {
      return 8;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.of(0.1);
    }
  }

  /**
   * A number to predict (Friedman 1991): ten numbers over [0, 1), five of which count. {@code noise}, 1 unless given, is the
   * standard deviation of the label around its function. Concepts as in Ikonomovska et al. (2011): 0 is Friedman's function; 1 and
   * 2 are that of other features (drifts to 1 and back to 0 recur; gradual ones to 1, then 2, are slow); 3, 4 and 5 are Friedman's
   * with two regions, larger each time, that follow functions of their own.
   */
  record Friedman() implements GeneratorStream {
    @Override
    public int concepts() {
      return 6;
    }

    @Override
    public OptionalDouble usualNoise() {
      return OptionalDouble.of(1);
    }
  }

  /**
   * A change of the concept.
   *
   * @param at the row where it happens; for a gradual one, its middle
   * @param kind abrupt or gradual
   * @param width rows over which a gradual one takes place
   * @param to index of the concept afterwards
   */
  record DriftConfig(
      @Key(range = "[0, inf)") long at,
      @Key(byDefault = "abrupt") DriftKind kind,
      @Key(byDefault = "0", range = "[0, inf)") long width,
      @Key(byDefault = "1", range = "[0, 9]") int to) {
    /** Checks ranges; {@link Generator} checks what depends on the stream. */
    public DriftConfig {
      Setting.check(DriftConfig.class, at, kind, width, to);
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
