package io.penstock.app;

import io.penstock.app.RunSnapshot.Stage;
import io.penstock.pipeline.StageMeter;
import java.util.List;

/** The meters of a run's stages, there from its beginning: whoever shows them finds the same list at any time. */
final class Stages {
  final StageMeter ingest = new StageMeter("ingest");
  final StageMeter operators = new StageMeter("operators");
  final StageMeter assembler = new StageMeter("assembler");
  final StageMeter device = new StageMeter("device");

  private final int ingestThreads;
  private final int operatorThreads;

  Stages(int ingestThreads, int operatorThreads) {
    this.ingestThreads = ingestThreads;
    this.operatorThreads = operatorThreads;
  }

  /** What they show, in the order of the stream. */
  List<Stage> snapshot() {
    return List.of(
        stage(ingest, ingestThreads),
        stage(operators, operatorThreads),
        stage(assembler, 1),
        stage(device, 1));
  }

  private static Stage stage(StageMeter meter, int threads) {
    return new Stage(
        meter.name(),
        threads,
        meter.busyNanos(),
        meter.blockedNanos(),
        meter.starvedNanos(),
        meter.rows(),
        meter.bytes());
  }
}
