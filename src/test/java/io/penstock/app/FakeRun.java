package io.penstock.app;

import io.penstock.app.RunSnapshot.Copy;
import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.app.RunSnapshot.Memory;
import io.penstock.app.RunSnapshot.Metrics;
import io.penstock.app.RunSnapshot.Outcome;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.RunSnapshot.Rows;
import io.penstock.app.RunSnapshot.Stage;
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

  static final Metrics GOOD =
      new Metrics(0.8721, 0.7, 0.65, 0.55, 0.6712, 0.31, Double.NaN, Double.NaN);
  static final Metrics RECENT =
      new Metrics(0.9312, 0.85, 0.8, 0.56, 0.66, 0.2, Double.NaN, Double.NaN);

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
        new Percentiles(90, 140),
        new Percentiles(3.5, 12),
        List.of(stage("ingest", 3, 6), stage("operators", 2, 1), stage("device", 9, 0)),
        new Memory(3, 8, 1 << 20, 64 << 20, 4096, 0.5),
        new Copy(0, Double.NaN),
        new Outcome(List.of(new LedgerEntry("trained", trained, "00ff")), "abc123"),
        RunSnapshot.Setbacks.NONE,
        RunSnapshot.Saved.NONE,
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
