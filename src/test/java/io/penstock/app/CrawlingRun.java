package io.penstock.app;

import io.penstock.config.Config;

/** A main of its own for {@link SignalTest}: the real command line, but the device takes three minibatches and no more. */
final class CrawlingRun {
  private CrawlingRun() {}

  public static void main(String[] args) {
    System.exit(Penstock.run(new RewiredEngine(CrawlingRun::run), Terminal.ofProcess(), args));
  }

  private static Run run(Config config, RunOptions options) {
    GatedDevice device = new GatedDevice();
    device.open(3);
    return new TrainingRun(config, options, device, null);
  }
}
