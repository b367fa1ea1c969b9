package io.penstock.app;

import io.penstock.config.Config;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** Puts the modules together. The lead's wiring of a run takes this class's place on merging. */
final class Wiring implements Engine {
  private static final String UNWIRED = "the modules of this branch are not put together";

  @Override
  public Config config(Path file, List<String> sets) {
    throw new StartException(UNWIRED);
  }

  @Override
  public Run run(Config config, RunOptions options) {
    throw new StartException(UNWIRED);
  }

  @Override
  public FeedResult feed(FeedRequest request) {
    throw new StartException(UNWIRED);
  }

  @Override
  public List<DeviceReport> devices() {
    throw new StartException(UNWIRED);
  }

  @Override
  public void benchSteps(String device, int threads, double seconds, PrintStream out) {
    throw new StartException(UNWIRED);
  }

  @Override
  public void benchStages(double seconds, PrintStream out) {
    throw new StartException(UNWIRED);
  }
}
