package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.ConfigException;
import io.penstock.config.ConfigReader;
import io.penstock.config.Precision;
import io.penstock.ingest.netty.Feed;
import io.penstock.ingest.netty.FeedException;
import io.penstock.ingest.netty.FeedResult;
import io.penstock.trainer.StepBenchmark;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.cuda.CudaDevice;
import io.penstock.trainer.device.Device;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/** Puts the modules together. */
final class Wiring implements Engine {
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

  @Override
  public Config config(Path file, List<String> sets) {
    try {
      return ConfigReader.read(file, sets);
    } catch (ConfigException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public Run run(Config config, RunOptions options) {
    return new TrainingRun(config, options, device(config.device(), config.precision()), null);
  }

  private static Device device(String name, Precision precision) {
    if (name.equals("cpu")) {
      return new CpuDevice();
    }
    if (name.equals("auto")) {
      return best();
    }
    if (!name.matches("cuda(:\\d{1,3})?")) {
      throw new StartException("device: '" + name + "' is not known; see penstock devices");
    }
    try {
      return CudaDevice.of(
          name.equals("cuda") ? 0 : Integer.parseInt(name, 5, name.length(), 10), precision);
    } catch (IllegalStateException e) {
      throw new StartException("device: " + e.getMessage(), e);
    }
  }

  /** The first of the list: what {@code penstock check} says that auto takes. */
  private static Device best() {
    try {
      return CudaDevice.of(0, Precision.FLOAT32);
    } catch (IllegalStateException e) {
      return new CpuDevice();
    }
  }

  @Override
  public FeedResult feed(FeedRequest request) {
    Feed feed =
        Feed.to(request.host(), request.port())
            .atRate(request.rowsPerSecond())
            .connectingWithin(CONNECT_WITHIN);
    Mono<FeedResult> sending =
        switch (request.input()) {
          case FeedRequest.Input.Lines lines -> feed.file(lines.path(), true);
          case FeedRequest.Input.Stream stream -> feed.generator(stream.generator(), true);
        };
    try {
      return sending.blockOptional().orElseThrow();
    } catch (FeedException e) {
      throw new RunException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public List<DeviceReport> devices() {
    return List.of(cuda(), new DeviceReport("cpu", true, new CpuDevice().description()));
  }

  private static DeviceReport cuda() {
    try {
      return new DeviceReport("cuda", true, CudaDevice.of(0, Precision.FLOAT32).description());
    } catch (IllegalStateException e) {
      return new DeviceReport("cuda", false, String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void benchSteps(String device, int threads, PrintStream out) {
    try {
      StepBenchmark.run(device(device, Precision.FLOAT32), threads, out);
    } catch (IllegalArgumentException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void benchStages(double seconds, PrintStream out) {
    StageBenchmark.run(seconds, out);
  }
}
