package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.Config.BatchConfig;
import io.penstock.config.Config.ErrorsConfig;
import io.penstock.config.Config.EvaluationConfig;
import io.penstock.config.Config.HttpConfig;
import io.penstock.config.Config.PipelineConfig;
import io.penstock.config.FieldConfig;
import io.penstock.config.FormatConfig;
import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.Precision;
import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.netty.FeedResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An engine that hands out one configuration and one run, and notes what it was asked for. */
final class FakeEngine implements Engine {
  static final FormatConfig CSV = new FormatConfig.Csv(true, ",", List.of(), List.of());
  static final SourceConfig GENERATOR =
      new SourceConfig.Generator(SourceConfig.GeneratorStream.SEA, 1000, 1, 0, 0.1, List.of());

  final List<String> asked = new ArrayList<>();
  Config config = config(GENERATOR, "", 0.01, -1, Duration.ZERO);
  List<DeviceReport> devices = List.of(new DeviceReport("cpu", true, "AVX2, 2 processors"));
  Function<RunOptions, Run> runs = options -> new FakeRun();
  @Nullable FeedRequest fed;
  final List<RunOptions> options = new ArrayList<>();

  static Config config(
      SourceConfig source, String deadLetters, double maxRate, int httpPort, Duration maxDelay) {
    return new Config(
        "test",
        source,
        Map.of(),
        new SchemaConfig(
            new LabelConfig("y", LabelType.CLASS, 2, List.of("", "")),
            "",
            "",
            Map.of("x", FieldConfig.of(FieldType.NUMBER))),
        List.of(),
        new BatchConfig(256, maxDelay),
        new ModelConfig.Logistic(Initial.ZERO),
        new LossConfig.Auto(),
        new OptimizerConfig.Sgd(0.1, 0),
        "auto",
        Precision.FLOAT32,
        new PipelineConfig(1, 64 << 20, 8, Map.of()),
        new EvaluationConfig(1000, 0),
        new ErrorsConfig(deadLetters, 100_000_000, 3, maxRate, 0, 10),
        null,
        new HttpConfig(httpPort, "127.0.0.1"),
        new Config.PredictionsConfig(Duration.ofSeconds(1), 1000, 1 << 20),
        42);
  }

  static SourceConfig.Tcp tcp(int port, int maxConnections) {
    return new SourceConfig.Tcp(
        port, "127.0.0.1", false, CSV, 1 << 20, maxConnections, Duration.ZERO, 0, null, null);
  }

  @Override
  public Config config(Path file, List<String> sets) {
    asked.add("config " + file + " " + sets);
    return config;
  }

  @Override
  public Run run(Config config, RunOptions options) {
    this.options.add(options);
    return runs.apply(options);
  }

  @Override
  public FeedResult feed(FeedRequest request) {
    fed = request;
    return new FeedResult(2000, 40_000, 2);
  }

  @Override
  public List<DeviceReport> devices() {
    return devices;
  }

  @Override
  public void benchSteps(String device, int threads, PrintStream out) {
    asked.add("steps %s %d".formatted(device, threads));
  }

  @Override
  public void benchStages(double seconds, PrintStream out) {
    asked.add("stages %.1f".formatted(seconds));
  }

  @Override
  public int benchGpu(GpuRequest request, Terminal terminal) {
    asked.add("gpu " + request);
    return ExitCode.EMULATED;
  }
}
