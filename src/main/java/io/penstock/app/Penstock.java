package io.penstock.app;

import io.penstock.app.FeedRequest.Input;
import io.penstock.app.sample.ConfigDraft;
import io.penstock.config.ConfigException;
import io.penstock.config.ConfigReader;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.config.SourceConfig;
import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.Token;
import io.penstock.config.TokenConfig;
import io.penstock.ingest.netty.FeedResult;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command line. */
@Command(
    name = "penstock",
    versionProvider = Penstock.Versions.class,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Trains a model continuously from live data, in one JVM process.",
    footer = {
      "",
      "Begin with:  penstock train config/quickstart.yaml",
      "Device nd4j: ./penstock --with nd4j COMMAND (or --with nd4j-cuda) brings its libraries.",
      "Exit codes:  0 done; 1 the run failed; 2 wrong usage or configuration; 130, 143 ended by a signal."
    })
final class Penstock {
  private final Engine engine;
  private final Terminal terminal;
  private @Nullable @Spec CommandSpec spec;

  private Penstock(Engine engine, Terminal terminal) {
    this.engine = engine;
    this.terminal = terminal;
  }

  /** Runs a command and exits with its code. */
  public static void main(String[] args) {
    System.exit(run(new Wiring(), Terminal.ofProcess(), args));
  }

  /** Runs a command; returns its exit code. */
  static int run(Engine engine, Terminal terminal, String... args) {
    CommandLine line = new CommandLine(new Penstock(engine, terminal));
    line.addSubcommand("bench", new CommandLine(new Bench(engine, terminal)));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(terminal.columns() > 0);
    line.setOut(writer(terminal.out()));
    line.setErr(writer(terminal.err()));
    line.setParameterExceptionHandler((wrong, _) -> usageError(terminal, wrong));
    line.setExecutionExceptionHandler((failure, _, _) -> failed(terminal, failure));
    return line.execute(args);
  }

  @Command(
      name = "train",
      mixinStandardHelpOptions = true,
      description = "Trains as CONFIG says, until the source ends or Ctrl-C.")
  int train(
      @Parameters(paramLabel = "CONFIG", description = "Configuration in YAML.") Path config,
      @Option(
              names = "--set",
              paramLabel = "KEY=VALUE",
              description = "Overrides a key: --set batch.size=64. May be repeated.")
          @Nullable List<String> sets,
      @Option(
              names = "--max-records",
              paramLabel = "N",
              defaultValue = "0",
              description = "Ends the run after N rows.")
          long maxRecords,
      @Option(
              names = "--report",
              paramLabel = "FILE",
              description = "Writes what came of the run as JSON.")
          @Nullable Path report,
      @Option(names = "--fresh", description = "Begins anew, whatever is saved.") boolean fresh,
      @Option(
              names = "--weights-only",
              description = "Begins anew, but with the weights of the newest checkpoint.")
          boolean weightsOnly,
      @Option(
              names = "--weights",
              paramLabel = "FILE",
              description =
                  "Weights to begin with where no checkpoint is there: a safetensors file, of Penstock or of PyTorch.")
          @Nullable Path weights)
      throws InterruptedException {
    JvmFlags.require();
    atLeast(0, maxRecords, "--max-records");
    return new Training(engine, terminal)
        .train(
            config,
            orEmpty(sets),
            new Training.Options(maxRecords, report, beginning(fresh, weightsOnly), weights));
  }

  @Command(
      name = "check",
      mixinStandardHelpOptions = true,
      description =
          "Validates CONFIG and says what would go wrong here, what is promised, and whether a run can be repeated to the bit.")
  int check(
      @Parameters(paramLabel = "CONFIG", description = "Configuration in YAML.") Path config,
      @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Overrides a key.")
          @Nullable List<String> sets) {
    return new Check(engine.config(config, orEmpty(sets)), engine.devices()).print(terminal.out());
  }

  @Command(
      name = "init",
      mixinStandardHelpOptions = true,
      description =
          "Writes a configuration for data like those of SAMPLE, which is CSV or JSON, plain or compressed.")
  int init(
      @Parameters(paramLabel = "SAMPLE", description = "A file of rows.") Path sample,
      @Option(
              names = "--label",
              required = true,
              paramLabel = "FIELD",
              description = "What is to be predicted.")
          String label,
      @Option(
              names = "--label-type",
              paramLabel = "TYPE",
              description = "class or number; as its values look unless given.")
          @Nullable LabelType labelType,
      @Option(
              names = "--out",
              paramLabel = "FILE",
              description = "Where to; NAME.yaml unless given, and - is standard output.")
          @Nullable String out,
      @Option(names = "--force", description = "Overwrites FILE.") boolean force,
      @Option(
              names = "--source",
              paramLabel = "SOURCE",
              defaultValue = "file",
              description =
                  "Where rows will come from, file or tcp; ${DEFAULT-VALUE} unless given.")
          ConfigDraft.Source source,
      @Option(
              names = "--name",
              paramLabel = "NAME",
              description = "Name of the run; that of SAMPLE unless given.")
          @Nullable String name,
      @Option(
              names = "--rows",
              paramLabel = "N",
              defaultValue = "1000000",
              description = "Rows to look at; ${DEFAULT-VALUE} unless given.")
          long rows) {
    atLeast(1, rows, "--rows");
    return new Init(terminal)
        .write(
            new Init.Request(sample, label, labelType, Init.name(name, sample), source, rows),
            out,
            force);
  }

  @Command(
      name = "feed",
      mixinStandardHelpOptions = true,
      description =
          "Sends the lines of a file, or a synthetic stream, to a TCP source. Of a file of dead letters the rows are sent as they came.")
  int feed(
      @Parameters(
              paramLabel = "FILE_OR_GENERATOR",
              description =
                  "A text file (./sea for one of that name), dead letters with all that were moved aside, or: sea, agrawal, hyperplane, rbf, led, friedman.")
          String input,
      @Option(
              names = "--to",
              required = true,
              paramLabel = "tcp://HOST:PORT",
              description = "Where to send.")
          URI to,
      @Option(
              names = "--rate",
              paramLabel = "N",
              defaultValue = "0",
              description = "Rows a second; as fast as they are taken unless given.")
          double rate,
      @ArgGroup(heading = "Where the receiver has source.tcp.token, one of:%n")
          @Nullable TokenOptions token,
      @ArgGroup(
              exclusive = false,
              heading = "With acknowledgements (the receiver has source.tcp.acknowledge):%n")
          @Nullable ProducerOptions producer,
      @ArgGroup(exclusive = false, heading = "Of a synthetic stream:%n")
          @Nullable StreamOptions stream) {
    if (!(rate >= 0)) {
      throw new StartException("--rate: must be 0 or more, not " + rate);
    }
    String host = host(to);
    Input from = input(input, stream);
    FeedResult sent;
    try {
      if (from instanceof Input.Letters letters) {
        terminal.err().println(letters.replay().note());
      }
      sent =
          engine.feed(
              new FeedRequest(
                  from,
                  host,
                  to.getPort(),
                  rate,
                  token == null ? null : token.read(),
                  producer == null ? null : producer.acknowledged()));
    } finally {
      if (from instanceof Input.Letters letters) {
        letters.replay().close();
      }
    }
    terminal
        .err()
        .println(
            "sent %s, %s, in %s: %s rows/s"
                .formatted(
                    Texts.count(sent.rows(), "row"),
                    Texts.bytes(sent.bytes()),
                    Texts.seconds(sent.seconds()),
                    Texts.rate(sent.seconds() > 0 ? sent.rows() / sent.seconds() : 0)));
    return ExitCode.OK;
  }

  @Command(
      name = "inspect",
      mixinStandardHelpOptions = true,
      description = "Says what is in a checkpoint, or what differs between two.")
  int inspect(
      @Parameters(
              paramLabel = "CHECKPOINT",
              description = "A checkpoint, or a folder of them: then the newest that is whole.")
          Path checkpoint,
      @Option(
              names = "--diff",
              paramLabel = "OTHER",
              description = "Says what differs from CHECKPOINT to this one.")
          @Nullable Path other,
      @Option(names = "--json", description = "Says it in JSON.") boolean json) {
    Inspection one = Inspection.of(checkpoint, "inspect");
    String found;
    if (other == null) {
      InspectionPage page = new InspectionPage(one);
      found = json ? page.json().toPrettyString() : page.text();
    } else {
      CheckpointDifference difference =
          new CheckpointDifference(one, Inspection.of(other, "inspect"));
      found = json ? difference.json().toPrettyString() : difference.text();
    }
    terminal.out().println(found);
    return ExitCode.OK;
  }

  @Command(
      name = "predict",
      mixinStandardHelpOptions = true,
      description = "Answers the rows of a file by a saved model, a line each.")
  int predict(
      @Parameters(
              paramLabel = "CHECKPOINT",
              description = "A checkpoint, or a folder of them: then the newest that is whole.")
          Path checkpoint,
      @Parameters(
              paramLabel = "FILE",
              description =
                  "Rows, with or without their label: CSV as the model was trained on, or .json, .jsonl, .ndjson with an object a line; .gz and .zst are decompressed.")
          Path file,
      @Option(
              names = "--out",
              paramLabel = "OUT",
              description = "Where the predictions go; standard output unless given.")
          @Nullable Path out,
      @Option(
              names = "--format",
              paramLabel = "FORMAT",
              defaultValue = "json",
              description =
                  "Of the predictions: ${COMPLETION-CANDIDATES}; ${DEFAULT-VALUE} unless given.")
          Predictions.Format format) {
    new Predictions(Inspection.of(checkpoint, "predict"), file)
        .write(format, out, terminal.out(), terminal.err());
    return ExitCode.OK;
  }

  @Command(
      name = "evaluate",
      mixinStandardHelpOptions = true,
      description = "Judges a saved model on the labelled rows of a CSV file; nothing is learnt.")
  int evaluate(
      @Parameters(
              paramLabel = "CHECKPOINT",
              description = "A checkpoint, or a folder of them: then the newest that is whole.")
          Path checkpoint,
      @Parameters(
              paramLabel = "FILE",
              description = "Rows as the model was trained on; .gz and .zst are decompressed.")
          Path file,
      @Option(names = "--json", description = "Says it in JSON.") boolean json)
      throws InterruptedException {
    SavedEvaluation found = SavedEvaluation.of(Inspection.of(checkpoint, "evaluate"), file);
    terminal.out().println(json ? found.json().toPrettyString() : found.text());
    return ExitCode.OK;
  }

  @Command(
      name = "devices",
      mixinStandardHelpOptions = true,
      description = "Lists the devices that steps can run on, and why one cannot be used.")
  int devices() {
    for (Engine.DeviceReport device : engine.devices()) {
      terminal
          .out()
          .println(
              "%-6s %-10s %s"
                  .formatted(
                      device.name(), device.usable() ? "usable" : "not usable", device.what()));
    }
    return ExitCode.OK;
  }

  @Command(
      name = "completion",
      mixinStandardHelpOptions = true,
      description = {
        "Prints the script that completes commands and options.",
        "For bash and zsh: source <(penstock completion)"
      })
  int completion() {
    CommandLine whole = Objects.requireNonNull(spec, "picocli sets it").commandLine();
    terminal.out().print(AutoComplete.bash("penstock", whole));
    return ExitCode.OK;
  }

  /** Where a sender has its token from. */
  static final class TokenOptions {
    @Option(
        names = "--token-file",
        paramLabel = "FILE",
        description = "A file with the token and nothing else.")
    private @Nullable String file;

    @Option(
        names = "--token-environment",
        paramLabel = "NAME",
        description = "The variable that holds it.")
    private @Nullable String environment;

    private Token read() {
      try {
        return new TokenConfig(file, environment).read();
      } catch (IllegalArgumentException e) {
        throw new StartException(
            "%s: %s"
                .formatted(file == null ? "--token-environment" : "--token-file", e.getMessage()),
            e);
      }
    }
  }

  /** Options of a sender that is told what became of its rows. */
  static final class ProducerOptions {
    @Option(
        names = "--producer",
        required = true,
        paramLabel = "ID",
        description =
            "Name to go by. Started again with it, the feed goes on with the row that the receiver names.")
    private String id = "";

    @Option(
        names = "--until-durable",
        description = "Fails where the receiver keeps no checkpoints, so that nothing is durable.")
    private boolean untilDurable;

    @Option(
        names = "--reconnect-within",
        paramLabel = "SECONDS",
        defaultValue = "60",
        description =
            "How long to go on connecting again where nothing moves; ${DEFAULT-VALUE} unless given.")
    private int reconnectWithin;

    private FeedRequest.Acknowledged acknowledged() {
      if (!id.matches("[A-Za-z0-9._:-]{1,128}")) {
        throw new StartException(
            "--producer: must be 1 to 128 letters, digits, '.', '_', ':' and '-', not '%s'"
                .formatted(id));
      }
      atLeast(0, reconnectWithin, "--reconnect-within");
      return new FeedRequest.Acknowledged(id, untilDurable, Duration.ofSeconds(reconnectWithin));
    }
  }

  /** Options of a generator. */
  static final class StreamOptions {
    @Option(
        names = "--records",
        paramLabel = "N",
        defaultValue = "0",
        description = "Rows; without end unless given.")
    private long records;

    @Option(
        names = "--seed",
        paramLabel = "N",
        defaultValue = "42",
        description = "Seed; ${DEFAULT-VALUE} unless given.")
    private long seed;

    @Option(
        names = "--concept",
        paramLabel = "N",
        defaultValue = "0",
        description = "Classification function; ${DEFAULT-VALUE} unless given.")
    private int concept;

    @Option(
        names = "--noise",
        paramLabel = "SHARE",
        description =
            "Share of labels (sea, hyperplane), values (agrawal) or segments (led) disturbed, deviation of the label (friedman); what the literature takes unless given.")
    private @Nullable Double noise;

    @Option(
        names = "--set",
        paramLabel = "KEY=VALUE",
        description =
            "Sets one of the stream's own settings, such as features=20 (hyperplane, rbf); source.generator.stream in docs/configuration.md.")
    private @Nullable List<String> sets;

    @Option(
        names = "--drift-at",
        paramLabel = "ROW",
        defaultValue = "-1",
        description = "Row at which the concept changes.")
    private long driftAt;

    @Option(
        names = "--drift-to",
        paramLabel = "N",
        defaultValue = "1",
        description = "Concept after it; ${DEFAULT-VALUE} unless given.")
    private int driftTo;

    @Option(
        names = "--drift-width",
        paramLabel = "ROWS",
        defaultValue = "0",
        description = "Rows over which it changes; 0: abruptly.")
    private long driftWidth;

    private SourceConfig.Generator generator(String word) {
      try {
        return new SourceConfig.GeneratorForm(
                ConfigReader.stream(word, orEmpty(sets)), records, seed, concept, noise, drift())
            .meaning();
      } catch (ConfigException | IllegalArgumentException e) {
        throw new StartException("feed %s: %s".formatted(word, e.getMessage()), e);
      }
    }

    private List<DriftConfig> drift() {
      if (driftAt < 0) {
        return List.of();
      }
      DriftKind kind = driftWidth > 0 ? DriftKind.GRADUAL : DriftKind.ABRUPT;
      return List.of(new DriftConfig(driftAt, kind, driftWidth, driftTo));
    }
  }

  /** {@code penstock bench}. */
  @Command(
      name = "bench",
      mixinStandardHelpOptions = true,
      synopsisSubcommandLabel = "COMMAND",
      description = "Measures this machine; prints JSON lines.")
  static final class Bench {
    private static final Pattern TIME = Pattern.compile("(\\d{1,6})([sm])");

    private final Engine engine;
    private final Terminal terminal;

    private Bench(Engine engine, Terminal terminal) {
      this.engine = engine;
      this.terminal = terminal;
    }

    @Command(
        name = "steps",
        mixinStandardHelpOptions = true,
        description = "Microseconds of a training step over models and batch sizes.")
    int steps(
        @Option(
                names = "--device",
                paramLabel = "D",
                defaultValue = "cpu",
                description = "Device; ${DEFAULT-VALUE} unless given.")
            String device,
        @Option(
                names = "--threads",
                paramLabel = "N",
                defaultValue = "1",
                description = "Threads of the cpu device; ${DEFAULT-VALUE} unless given.")
            int threads) {
      JvmFlags.require();
      atLeast(1, threads, "--threads");
      engine.benchSteps(device, threads, terminal.out());
      return ExitCode.OK;
    }

    @Command(
        name = "stages",
        mixinStandardHelpOptions = true,
        description =
            "Rows a second of decoding, operators, assembler and step alone, and of the whole.")
    int stages(
        @Option(
                names = "--seconds",
                paramLabel = "S",
                defaultValue = "3",
                description = "Time to warm up; ${DEFAULT-VALUE} unless given.")
            double seconds) {
      JvmFlags.require();
      engine.benchStages(seconds, terminal.out());
      return ExitCode.OK;
    }

    @Command(
        name = "gpu",
        mixinStandardHelpOptions = true,
        description = {
          "Checks and measures a GPU: contract, golden runs, steps beside PyTorch's, copies beside computing.",
          "Exit codes: 0 passed; 1 a section or a target failed; 3 all went well, but on the tests' emulator."
        })
    int gpu(
        @Option(
                names = "--report",
                paramLabel = "FILE",
                defaultValue = "gpu-report.json",
                description = "Report; ${DEFAULT-VALUE} unless given. A table goes beside it.")
            Path report,
        @Option(
                names = "--soak",
                paramLabel = "TIME",
                defaultValue = "0s",
                description = "Trains that long, too, and watches memory: 6m.")
            String soak,
        @Option(
                names = "--limit",
                paramLabel = "TIME",
                defaultValue = "8m",
                description = "Time for all but the soak; ${DEFAULT-VALUE} unless given.")
            String limit,
        @Option(
                names = "--only",
                paramLabel = "SECTION",
                split = ",",
                description = "Sections to run: ${COMPLETION-CANDIDATES}; all unless given.")
            @Nullable List<GpuSection> only,
        @Option(
                names = "--python",
                paramLabel = "FILE",
                defaultValue = "python3",
                description = "Python that may have PyTorch; ${DEFAULT-VALUE} unless given.")
            String python)
        throws InterruptedException {
      JvmFlags.require();
      Duration soaked = duration("--soak", soak);
      Set<GpuSection> sections =
          only == null ? EnumSet.allOf(GpuSection.class) : EnumSet.copyOf(only);
      if (soaked.isZero()) {
        sections.remove(GpuSection.SOAK);
      }
      return engine.benchGpu(
          new GpuRequest(
              report.toAbsolutePath(), sections, duration("--limit", limit), soaked, python),
          terminal);
    }

    private static Duration duration(String option, String text) {
      Matcher time = TIME.matcher(text);
      if (!time.matches()) {
        throw new StartException(
            "%s: must be a time such as 90s or 6m, not '%s'".formatted(option, text));
      }
      long count = Long.parseLong(time.group(1));
      return time.group(2).equals("m") ? Duration.ofMinutes(count) : Duration.ofSeconds(count);
    }
  }

  /** For {@code --version}. */
  static final class Versions implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"penstock " + Version.TEXT};
    }
  }

  private static RunOptions.Beginning beginning(boolean fresh, boolean weightsOnly) {
    if (fresh && weightsOnly) {
      throw new StartException("--fresh, --weights-only: name one of them");
    }
    return fresh
        ? RunOptions.Beginning.FRESH
        : weightsOnly ? RunOptions.Beginning.WEIGHTS_ONLY : RunOptions.Beginning.RESUMED;
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }

  private static Input input(String text, @Nullable StreamOptions stream) {
    if (GeneratorStream.words().contains(text)) {
      return new Input.Stream((stream == null ? defaults() : stream).generator(text));
    }
    Path file = Path.of(text);
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new StartException(
          "feed: '%s' is neither a file that can be read nor one of the streams %s"
              .formatted(text, String.join(", ", GeneratorStream.words())));
    }
    if (stream != null) {
      throw new StartException(
          "feed: --records, --seed and the like belong to synthetic streams; a file is sent as it is");
    }
    try {
      Optional<DeadLetterReplay> letters = DeadLetterReplay.of(file);
      return letters.isPresent() ? new Input.Letters(letters.get()) : new Input.Lines(file);
    } catch (IOException e) {
      throw new StartException("feed: cannot read %s (%s)".formatted(file, Causes.of(e)), e);
    }
  }

  /** Picocli makes no group where none of its options is given. */
  private static StreamOptions defaults() {
    StreamOptions options = new StreamOptions();
    options.seed = 42;
    options.driftAt = -1;
    return options;
  }

  private static String host(URI to) {
    if (!"tcp".equals(to.getScheme()) || to.getHost() == null || to.getPort() < 1) {
      throw new StartException(
          "--to: must be tcp://HOST:PORT, such as tcp://127.0.0.1:9000, not '%s'".formatted(to));
    }
    return to.getHost();
  }

  private static void atLeast(long least, long value, String option) {
    if (value < least) {
      throw new StartException("%s: must be %d or more, not %d".formatted(option, least, value));
    }
  }

  private static List<String> orEmpty(@Nullable List<String> values) {
    return values == null ? List.of() : values;
  }

  private static int usageError(Terminal terminal, CommandLine.ParameterException wrong) {
    terminal.err().println("penstock: " + wrong.getMessage());
    terminal
        .err()
        .println("Try: " + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help");
    return ExitCode.USAGE;
  }

  private static int failed(Terminal terminal, Exception failure) {
    if (Boolean.getBoolean("penstock.debug")) {
      failure.printStackTrace(terminal.err());
    }
    return switch (failure) {
      case StartException wrong -> {
        terminal.err().println("penstock: " + wrong.getMessage());
        yield ExitCode.USAGE;
      }
      case RunException failed -> {
        terminal.err().println("penstock: " + failed.getMessage());
        yield ExitCode.FAILED;
      }
      default -> {
        terminal
            .err()
            .println(
                "penstock: unexpected %s: %s; with PENSTOCK_DEBUG=1 the whole story is printed"
                    .formatted(failure.getClass().getSimpleName(), failure.getMessage()));
        yield ExitCode.FAILED;
      }
    };
  }
}
