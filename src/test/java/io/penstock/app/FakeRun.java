package io.penstock.app;

import io.penstock.app.RunSnapshot.Copy;
import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.app.RunSnapshot.Memory;
import io.penstock.app.RunSnapshot.Outcome;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.RunSnapshot.Rows;
import io.penstock.app.RunSnapshot.Stage;
import io.penstock.trainer.model.Confusion;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.Scores;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A run in memory that does what a test tells it. */
class FakeRun implements Run {
  private final CountDownLatch ended = new CountDownLatch(1);
  private RunSnapshot snapshot = snapshot(Phase.STARTING, 0, 0);
  private final LiveModel model =
      new LiveModel(
          FakeEngine.config(FakeEngine.GENERATOR, "", 0.01, -1, Duration.ZERO),
          new SteadyEpochClock());
  boolean closed;
  CompletableFuture<Checkpoints.Made> checkpoint = new CompletableFuture<>();

  private static final double NONE = Double.NaN;

  static final Metrics GOOD =
      ofTwoClasses(
          scores(0.8721, 0.8, 0.75, 0.91, 0.82, 0.31),
          scores(0.55, 0.3, 0.31, NONE, NONE, NONE),
          scores(0.6712, 0, 0, 0.5, 0.3288, 0.63));
  static final Metrics RECENT =
      ofTwoClasses(
          scores(0.9312, 0.9, 0.85, 0.97, 0.93, 0.2),
          scores(0.56, 0.32, 0.33, NONE, NONE, NONE),
          scores(0.66, 0, 0, 0.5, 0.34, 0.64));

  /** Of two classes, the second being a small share of the window. */
  static final Metrics SKEWED =
      ofTwoClasses(
          scores(0.95, 0.5, 0.25, 0.8634, 0.3, 0.2),
          scores(0.9, 0.06, 0.06, NONE, NONE, NONE),
          scores(0.9332, 0, 0, 0.5, 0.0668, 0.64));

  private static Scores scores(
      double accuracy, double precision, double recall, double auc, double prAuc, double logLoss) {
    boolean ofModel = !Double.isNaN(auc) && auc > 0.5;
    double f1 = precision == 0 ? 0 : 2 * precision * recall / (precision + recall);
    return new Scores(
        accuracy,
        precision,
        recall,
        f1,
        auc,
        prAuc,
        ofModel ? 0.015 : NONE,
        logLoss,
        NONE,
        NONE,
        NONE);
  }

  private static Metrics ofTwoClasses(Scores model, Scores noChange, Scores constant) {
    return new Metrics(
        model.logLoss(),
        model,
        noChange,
        constant,
        0.7,
        0.65,
        0.0004,
        0.0031,
        new Confusion(2, List.of(15_000.0, 2_000.0, 1_274.0, 7_326.0)));
  }

  static RunSnapshot snapshot(Phase phase, long trained, long rejected) {
    return snapshot(phase, trained, rejected, 0, null);
  }

  static RunSnapshot snapshot(
      Phase phase, long trained, long rejected, long notTrained, @Nullable String failure) {
    return new RunSnapshot(
        phase,
        "tcp://127.0.0.1:9000",
        "cpu",
        10,
        new Rows(trained + rejected + notTrained, trained, rejected, 0, 0, 0, notTrained),
        trained / 256,
        0.25,
        GOOD,
        RECENT,
        0,
        new Percentiles(90, 140),
        new Percentiles(3.5, 12),
        List.of(stage("ingest", 3, 6), stage("operators", 2, 1), stage("device", 9, 0)),
        new Memory(3, 8, 1 << 20, 64 << 20, 4096, 0.5),
        new Copy(0, Double.NaN),
        new Outcome(List.of(new LedgerEntry("trained", trained, "00ff")), "abc123"),
        RunSnapshot.Setbacks.NONE,
        RunSnapshot.Saved.NONE,
        new RunSnapshot.Refused(1, 2, 3),
        failure);
  }

  static Stage stage(String name, int busySeconds, int blockedSeconds) {
    return new Stage(
        name, 1, busySeconds * 1_000_000_000L, blockedSeconds * 1_000_000_000L, 0, 1000, 50_000);
  }

  synchronized void become(RunSnapshot next) {
    snapshot = next;
    if (next.state().isEnd()) {
      ended.countDown();
    }
  }

  @Override
  public void start() {
    become(snapshot(Phase.RUNNING, 0, 0));
  }

  @Override
  public synchronized RunSnapshot snapshot() {
    return snapshot;
  }

  @Override
  public void stop() {
    become(snapshot(Phase.ENDED, 512, 0, 77, null));
  }

  @Override
  public void fail(String reason) {
    become(
        snapshot(
            Phase.FAILED, snapshot().rows().trained(), snapshot().rows().rejected(), 0, reason));
  }

  @Override
  public CompletableFuture<Checkpoints.Made> checkpoint() {
    return checkpoint;
  }

  @Override
  public LiveModel model() {
    return model;
  }

  @Override
  public boolean awaitEnd(Duration timeout) throws InterruptedException {
    return ended.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    closed = true;
  }
}
