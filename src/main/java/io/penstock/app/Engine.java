package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.ingest.netty.FeedResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** What the command line sets to work. One implementation puts the modules together; tests have their own. */
interface Engine {

  /**
   * Reads and validates a configuration.
   *
   * @param sets overrides, {@code key.path=value} each
   * @throws StartException naming file, line, key, rule and value
   */
  Config config(Path file, List<String> sets);

  /**
   * Makes a run that has not started.
   *
   * @throws StartException where the configuration cannot be carried out here
   */
  Run run(Config config, RunOptions options);

  /**
   * Sends rows until all are sent.
   *
   * @throws StartException where it cannot begin
   * @throws RunException where the receiver goes away
   */
  FeedResult feed(FeedRequest request);

  /** The devices this build knows, usable or not. */
  List<DeviceReport> devices();

  /** Prints microseconds of training steps as JSON lines. */
  void benchSteps(String device, int threads, PrintStream out);

  /** Prints rows a second of each stage alone, and of the whole, as JSON lines. */
  void benchStages(double seconds, PrintStream out);

  /** Measures and checks a GPU; writes reports, and returns the exit code. */
  int benchGpu(GpuRequest request, Terminal terminal) throws InterruptedException;

  /**
   * A device, or the lack of one.
   *
   * @param what it is, or why it is not there: every reason found
   */
  record DeviceReport(String name, boolean usable, String what) {}
}
