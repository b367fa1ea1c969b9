package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.ingest.netty.FeedResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** A main of its own for {@link SignalTest}: the real command line, but the device takes three minibatches and no more. */
final class CrawlingRun {
  private CrawlingRun() {}

  public static void main(String[] args) {
    System.exit(Penstock.run(new CrawlingEngine(), Terminal.ofProcess(), args));
  }

  private static final class CrawlingEngine implements Engine {
    private final Engine engine = new Wiring();

    @Override
    public Config config(Path file, List<String> sets) {
      return engine.config(file, sets);
    }

    @Override
    public Run run(Config config, RunOptions options) {
      GatedDevice device = new GatedDevice();
      device.open(3);
      return new TrainingRun(config, options, device, null);
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
}
