package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.pipeline.State;
import io.penstock.trainer.cpu.CpuDevice;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Keeps the newest few cuts of a run, in memory; the oldest of them is durable once there are so many. */
final class TestCheckpoints implements Runnable, AutoCloseable {
  private final int keep;
  private final Deque<State> kept = new ArrayDeque<>();
  private @Nullable TrainingRun run;

  TestCheckpoints(int keep) {
    this.keep = keep;
  }

  /** A run that is not started. */
  static TrainingRun run(Config config, @Nullable State saved, Runnable checkpointWanted) {
    return new TrainingRun(
        config,
        new RunOptions(0, RunOptions.Beginning.FRESH, new Rejected()),
        new CpuDevice(),
        saved,
        checkpointWanted);
  }

  /** Whose cuts it keeps. */
  synchronized void of(TrainingRun run) {
    this.run = run;
  }

  /** Makes one. */
  @Override
  public synchronized void run() {
    TrainingRun of = Objects.requireNonNull(run);
    var _ = of.cut().thenAccept(cut -> keep(of, cut));
  }

  private synchronized void keep(TrainingRun of, State cut) {
    kept.add(cut);
    if (kept.size() > keep) {
      kept.remove();
    }
    if (kept.size() == keep) {
      of.durable(kept.getFirst());
    }
  }

  @Override
  public synchronized void close() {
    kept.clear();
  }
}
