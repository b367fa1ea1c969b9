package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.pipeline.State;
import io.penstock.trainer.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.EpochNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The machine's clock is set back, by hand or by its first answer from a time server. */
class ClockJumpTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long DAY = TimeUnit.DAYS.toNanos(1);

  private final AtomicLong wall = new AtomicLong(1_800_000_000 * SECOND);
  private final AtomicLong steady = new AtomicLong(77 * SECOND);
  private final EpochNanoClock clock = new SteadyEpochClock(wall::get, steady::get);
  private final AtomicBoolean broken = new AtomicBoolean();
  private final CountedRun run = new CountedRun();

  private @TempDir Path folder;

  /** Time goes by, for both clocks. */
  private void pass(long seconds) {
    wall.addAndGet(seconds * SECOND);
    steady.addAndGet(seconds * SECOND);
  }

  /** Rows as they are wanted, and cuts of nothing but their count. */
  private static final class CountedRun implements Checkpoints.Run {
    private final AtomicLong rows = new AtomicLong();

    @Override
    public CompletableFuture<State> cut() {
      State state = new State();
      state.put(Trainer.TRAINED, rows.get(), 0L, 0L);
      return CompletableFuture.completedFuture(state);
    }

    @Override
    public long rows() {
      return rows.get();
    }

    @Override
    public void durable(State cut) {}

    @Override
    public long pauseNanos() {
      return 0;
    }

    @Override
    public Checkpoints.Names names() {
      return new Checkpoints.Names(List.of(), List.of());
    }
  }

  private Checkpoints checkpoints() {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: sea } }
            model: logistic
            errors: { rollbackAfter: none }
            checkpoint: { directory: '%s', every: 30s, everyRows: none }
            """
                .formatted(folder));
    Disk disk =
        new Disk() {
          @Override
          public void forceNames(Path names) throws IOException {
            if (broken.get()) {
              throw new IOException("Input/output error");
            }
            Disk.super.forceNames(names);
          }
        };
    return Objects.requireNonNull(Checkpoints.open(config, Beginning.RESUMED, disk, clock));
  }

  @Test
  void shouldTellSteadyTimeFromTheDateAtItsBeginning() {
    long before = clock.nanoTime();
    assertThat(before).isEqualTo(wall.get());
    wall.addAndGet(-DAY);
    assertThat(clock.nanoTime()).isEqualTo(before);
    pass(5);
    assertThat(clock.nanoTime()).isEqualTo(before + 5 * SECOND);
  }

  @Test
  void shouldMakeCheckpointsWhenTheyAreDueThoughTheClockIsSetBack() {
    try (Checkpoints checkpoints = checkpoints()) {
      checkpoints.start(run, State::new);
      checkpoints.request().join(); // so that its time counts from now
      for (int written = 2; written < 5; written++) {
        long due = written;
        wall.addAndGet(-DAY);
        run.rows.incrementAndGet();
        pass(30);
        Runs.await(() -> checkpoints.status().written() == due, "checkpoint %d is made", due);
      }
    }
    assertThat(CheckpointDirectory.read(folder).number()).as("by number, not by date").isEqualTo(4);
    assertThat(CheckpointDirectory.read(folder).state().longs(Trainer.TRAINED)[0]).isEqualTo(3);
  }

  @Test
  void shouldTryAgainInASecondThoughTheClockIsSetBack() {
    try (Checkpoints checkpoints = checkpoints()) {
      broken.set(true);
      checkpoints.start(run, State::new);
      assertThat(checkpoints.request()).failsWithin(Runs.LONG);
      broken.set(false);
      wall.addAndGet(-DAY);
      pass(30);
      Runs.await(() -> checkpoints.status().written() == 1, "%s", checkpoints.status());
      assertThat(checkpoints.status().failure()).isNull();
    }
  }
}
