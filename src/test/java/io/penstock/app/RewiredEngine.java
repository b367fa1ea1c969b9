package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.ingest.netty.FeedResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/** The real engine, but for the runs it makes. */
final class RewiredEngine implements Engine {
  private final Engine engine = new Wiring();
  private final BiFunction<Config, RunOptions, Run> runs;

  RewiredEngine(BiFunction<Config, RunOptions, Run> runs) {
    this.runs = runs;
  }

  @Override
  public Config config(Path file, List<String> sets) {
    return engine.config(file, sets);
  }

  @Override
  public Run run(Config config, RunOptions options) {
    return runs.apply(config, options);
  }

  @Override
  public FeedResult feed(FeedRequest request) {
    return engine.feed(request);
  }

  @Override
  public List<DeviceReport> devices() {
    return engine.devices();
  }

  @Override
  public void benchSteps(String device, int threads, PrintStream out) {
    engine.benchSteps(device, threads, out);
  }

  @Override
  public void benchStages(double seconds, PrintStream out) {
    engine.benchStages(seconds, out);
  }

  @Override
  public int benchGpu(GpuRequest request, Terminal terminal) throws InterruptedException {
    return engine.benchGpu(request, terminal);
  }
}
