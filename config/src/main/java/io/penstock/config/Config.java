package io.penstock.config;

import io.penstock.config.Key.Unit;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a run, as a YAML file declares them.
 *
 * @param name the run's name, for reports and meters: letters, digits, {@code .}, {@code _} and {@code -}
 * @param source where rows come from
 * @param sources several of them, each under a name of its own, in place of {@code source}; their rows become one stream
 * @param schema what a row holds; left out where the source implies it, as synthetic streams do
 * @param features steps from columns to features, in their order
 * @param batch how minibatches are cut
 * @param model what is trained
 * @param loss what is made small
 * @param optimizer how weights follow gradients
 * @param device where steps run: {@code auto}, {@code cpu}, {@code nd4j}, {@code cuda} or {@code cuda:1}; {@code
 *     auto} takes the best one present
 * @param precision what matrix products are computed in; others than {@code float32} need {@code device: cuda}
 * @param pipeline means of the way from source to ring
 * @param evaluation how the run is judged while it trains
 * @param errors what happens to rows that cannot be used
 * @param checkpoint where what is learnt is kept, so that a run goes on where the one before ended; without it, it ends with
 *     the process
 * @param http metrics, health and predictions over HTTP
 * @param predictions answers of the model while it trains
 * @param seed of all random numbers of the model
 */
public record Config(
    @Key(byDefault = "penstock", mayChange = true) String name,
    @Nullable SourceConfig source,
    @Key(byDefault = "{}") Map<String, SourceConfig> sources,
    SchemaConfig schema,
    @Key(byDefault = "[]") List<FeatureConfig> features,
    @Key(byDefault = "{}") BatchConfig batch,
    ModelConfig model,
    @Key(byDefault = "auto") LossConfig loss,
    @Key(byDefault = "adam") OptimizerConfig optimizer,
    @Key(byDefault = "auto", mayChange = true) String device,
    @Key(byDefault = "float32", mayChange = true) Precision precision,
    @Key(byDefault = "{}", mayChange = true) PipelineConfig pipeline,
    @Key(byDefault = "{}") EvaluationConfig evaluation,
    @Key(byDefault = "{}", mayChange = true) ErrorsConfig errors,
    @Nullable @Key(mayChange = true) CheckpointConfig checkpoint,
    @Key(byDefault = "{}", none = "{port: -1}", mayChange = true) HttpConfig http,
    @Key(byDefault = "{}", mayChange = true) PredictionsConfig predictions,
    @Key(byDefault = "42") long seed) {

  /** Checks what settings demand of each other. */
  public Config {
    features = List.copyOf(features);
    if (!name.matches("[A-Za-z0-9._-]+")) {
      throw new InvalidSetting(
          "name", "must be letters, digits, '.', '_' and '-', not \"" + name + '"');
    }
    sources = Collections.unmodifiableMap(new TreeMap<>(sources));
    Fit.checkSources(source, sources, pipeline.shares());
    Fit.checkDevice(device, precision);
    Fit.checkModel(model, loss, schema.label());
    Fit.checkLabelDelay(evaluation.labelDelay(), features, schema.label());
    if (schema.infer() == null) {
      FeatureFit.check(features, schema);
    } else {
      Fit.checkInference(source);
    }
    for (SourceConfig one : source == null ? sources.values() : List.of(source)) {
      Fit.checkFormat(one, schema);
    }
  }

  /**
   * The configuration that a text declares; for code that would rather not have a file.
   *
   * @param sets overrides, {@code a.b=c}
   * @throws ConfigException with all that is wrong
   */
  public static Config parse(String yaml, String... sets) {
    return ConfigReader.parse("configuration", yaml, List.of(sets));
  }

  /** Where rows come from, by name and in the order of the names: {@code sources}, or the one {@code source} under the name of its kind. */
  public Map<String, SourceConfig> allSources() {
    return source == null
        ? sources
        : Map.of(Setting.lowerFirst(source.getClass().getSimpleName()), source);
  }

  /** Where the source of a name is configured. */
  public String sourceKey(String name) {
    return source == null ? "sources." + name : "source";
  }

  /** The same run with another step size. */
  public Config withLearningRate(double rate) {
    return with(schema, features, optimizer.withLearningRate(rate));
  }

  /**
   * The same run over other columns.
   *
   * @throws IllegalArgumentException where the steps do not fit the schema
   */
  public Config withColumns(SchemaConfig columns, List<FeatureConfig> steps) {
    return with(columns, steps, optimizer);
  }

  private Config with(SchemaConfig columns, List<FeatureConfig> steps, OptimizerConfig stepping) {
    return new Config(
        name,
        source,
        sources,
        columns,
        steps,
        batch,
        model,
        loss,
        stepping,
        device,
        precision,
        pipeline,
        evaluation,
        errors,
        checkpoint,
        http,
        predictions,
        seed);
  }

  /** The same model on the rows of a file, for a run that learns nothing and leaves nothing behind. */
  public Config evaluating(SourceConfig.File file) {
    return new Config(
        name,
        file,
        Map.of(),
        schema,
        features,
        new BatchConfig(batch.size(), Duration.ZERO),
        model,
        loss,
        optimizer,
        "cpu",
        Precision.FLOAT32,
        new PipelineConfig(pipeline.parallelism(), pipeline.memory(), pipeline.slots(), Map.of()),
        evaluation,
        new ErrorsConfig("", 0, 0, 1, 0, 0),
        null,
        new HttpConfig(-1, "127.0.0.1"),
        predictions,
        seed);
  }

  /**
   * How minibatches are cut.
   *
   * @param size rows of a full minibatch
   * @param maxDelay how long rows may wait for a full minibatch; zero, {@code none}: for ever, so that minibatches are cut by
   *     count alone and runs are equal to the bit
   */
  public record BatchConfig(
      @Key(byDefault = "256", range = "[1, 65536]") int size,
      @Key(byDefault = "20ms", none = "0s", range = "[0s, 1h]", mayChange = true)
          Duration maxDelay) {
    /** Checks ranges. */
    public BatchConfig {
      Setting.check(BatchConfig.class, size, maxDelay);
    }
  }

  /**
   * Means of the way from source to ring.
   *
   * @param parallelism threads that work on operators; results do not depend on it
   * @param memory bound on the memory of all blocks, in bytes
   * @param slots minibatches in the ring, a power of two
   * @param shares what each of {@code sources} is given in proportion, of memory, and of the trainer's time while several have
   *     rows waiting; 1 for one that is not named
   */
  public record PipelineConfig(
      @Key(byDefault = "1", range = "[1, 256]") int parallelism,
      @Key(byDefault = "64MB", range = "[1MB, 1TB]", unit = Unit.BYTES) long memory,
      @Key(byDefault = "32", range = "[2, 1024]") int slots,
      @Key(byDefault = "{}", range = "[1, 1000]") Map<String, Integer> shares) {
    /** Checks ranges. */
    public PipelineConfig {
      shares = Map.copyOf(shares);
      Setting.check(PipelineConfig.class, parallelism, memory, slots, shares);
      if (Integer.bitCount(slots) != 1) {
        throw new InvalidSetting("slots", "must be a power of two, 2 to 1024, not " + slots);
      }
    }
  }

  /**
   * How the run is judged while it trains.
   *
   * @param window rows over which windowed metrics fade: a row weighs (1 - 1/window) to the power of its age
   * @param labelDelay rows after which a row's label is taken to come: rows are scored by weights that are at least so many rows
   *     old, and baselines know labels that are; training stays as it is. Costs a copy of the weights and a forward pass a
   *     minibatch. 0, {@code none}: with the row
   */
  public record EvaluationConfig(
      @Key(byDefault = "10_000", range = "[2, 1_000_000_000]", mayChange = true) int window,
      @Key(byDefault = "none", none = "0", range = "[0, 10_000_000]") int labelDelay) {
    /** Checks ranges. */
    public EvaluationConfig {
      Setting.check(EvaluationConfig.class, window, labelDelay);
    }
  }

  /**
   * What happens to rows that cannot be used.
   *
   * @param deadLetters file for rejected rows; empty, {@code none}: they are only counted
   * @param deadLettersMaxBytes a file that would grow larger is moved aside to {@code FILE.1}, those before it one number up;
   *     0, {@code none}: never
   * @param deadLettersKeep how many files stay beside the one that is written to; older ones are deleted
   * @param maxRate share of rejected rows above which the run ends
   * @param lossSpike a minibatch is not trained on where its loss lies more than so many times the spread of the losses before
   *     it above their mean; 0, {@code none}: only where loss or gradient is not finite
   * @param rollbackAfter minibatches in a row that were not trained on, upon which the run goes back to the checkpoint before
   *     them, and on from there without their rows; 0, {@code none}: never
   */
  public record ErrorsConfig(
      @Key(byDefault = "none", none = "''") String deadLetters,
      @Key(byDefault = "100MB", none = "0", range = "[0, 1TB]", unit = Unit.BYTES)
          long deadLettersMaxBytes,
      @Key(byDefault = "3", range = "[0, 1000]") int deadLettersKeep,
      @Key(byDefault = "1%", range = "[0, 1]", unit = Unit.SHARE) double maxRate,
      @Key(byDefault = "none", none = "0", range = "[0, 1_000_000]") double lossSpike,
      @Key(byDefault = "10", none = "0", range = "[0, 1_000_000]") int rollbackAfter) {
    /** Checks ranges. */
    public ErrorsConfig {
      Setting.check(
          ErrorsConfig.class,
          deadLetters,
          deadLettersMaxBytes,
          deadLettersKeep,
          maxRate,
          lossSpike,
          rollbackAfter);
    }
  }

  /**
   * Where what is learnt is kept.
   *
   * @param directory folder of the checkpoints; one run at a time writes there
   * @param every time from one checkpoint to the next; zero, {@code none}: by rows, by demand and at the end alone
   * @param everyRows rows from one checkpoint to the next; 0, {@code none}: by time
   * @param keep how many there are; a run goes on from the newest that is whole
   */
  public record CheckpointConfig(
      String directory,
      @Key(byDefault = "30s", none = "0s", range = "[0s, 30d]") Duration every,
      @Key(byDefault = "0", none = "0", range = "[0, inf)") long everyRows,
      @Key(byDefault = "3", range = "[1, 1000]") int keep) {
    /** Checks ranges. */
    public CheckpointConfig {
      Setting.check(CheckpointConfig.class, directory, every, everyRows, keep);
      if (directory.isBlank()) {
        throw new InvalidSetting("directory", "must name a folder, not be empty");
      }
    }
  }

  /**
   * Answers of the model while it trains.
   *
   * @param maxAge the oldest weights that answers are made with, where the trainer has newer ones
   * @param maxRows rows that one request may have
   * @param maxBytes bytes that one request may have
   */
  public record PredictionsConfig(
      @Key(byDefault = "1s", range = "[0s, 1h]") Duration maxAge,
      @Key(byDefault = "10_000", range = "[1, 1_000_000]") int maxRows,
      @Key(byDefault = "8MiB", range = "[1KiB, 1GiB]", unit = Unit.BYTES) int maxBytes) {
    /** Checks ranges. */
    public PredictionsConfig {
      Setting.check(PredictionsConfig.class, maxAge, maxRows, maxBytes);
    }
  }

  /**
   * Metrics, health and predictions over HTTP.
   *
   * @param port 0: any free one; -1, or {@code http: none}: no HTTP
   * @param bind address to listen on
   * @param insecure must be true to listen on anything but loopback without a token
   * @param token what every request but {@code GET /health} must bring: {@code Authorization: Bearer TOKEN}
   */
  @Planned({"tls"})
  public record HttpConfig(
      @Key(byDefault = "8080", range = "[-1, 65535]") int port,
      @Key(byDefault = "127.0.0.1") String bind,
      @Key(byDefault = "false") boolean insecure,
      @Nullable TokenConfig token) {
    /** Checks ranges, and that nobody listens to the world by oversight. */
    public HttpConfig {
      Setting.check(HttpConfig.class, port, bind, insecure);
      Fit.checkBind(bind, token, insecure);
    }

    /** Not insecure, and without a token. */
    public HttpConfig(int port, String bind) {
      this(port, bind, false, null);
    }
  }
}
