package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.HandDrivenRun.End;
import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.pipeline.State;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A run that is cut, saved in memory and restored into fresh objects goes on as if nothing had happened: equal to the bit. */
class CutAndRestoreTest {
  private static final int CUTS = 200;

  @Test
  void shouldTrainTheSameWeightsThoughCutAtAnyRowAndRestored() {
    End whole = wholeRun();
    assertThat(whole.rows()).isEqualTo(HandDrivenRun.ROWS);
    assertThat(whole.evaluation().cumulative().accuracy()).isGreaterThan(0.6);

    SplittableRandom rows = new SplittableRandom(2);
    for (int i = 0; i < CUTS; i++) {
      int row = i == 0 ? 0 : i == 1 ? HandDrivenRun.ROWS : rows.nextInt(HandDrivenRun.ROWS + 1);
      State saved = cutAt(row, i);

      try (HandDrivenRun second = new HandDrivenRun(saved, new SplittableRandom(1000 + i))) {
        second.runTo(HandDrivenRun.ROWS);
        assertThat(second.end()).as("cut %d, at row %d", i, row).isEqualTo(whole);
      }
    }
  }

  @Test
  void shouldTrainTheSameWeightsThoughCutAgainAndAgain() {
    SplittableRandom rows = new SplittableRandom(3);
    State saved = cutAt(0, 0);
    List<Integer> cuts = new ArrayList<>();
    for (int row = 0; row < HandDrivenRun.ROWS; row += rows.nextInt(1, 60)) {
      cuts.add(row);
      try (HandDrivenRun next = new HandDrivenRun(saved, rows.split())) {
        next.runTo(row);
        saved = next.cut();
      }
    }
    try (HandDrivenRun last = new HandDrivenRun(saved, rows.split())) {
      last.runTo(HandDrivenRun.ROWS);
      assertThat(last.end()).as("cuts at %s", cuts).isEqualTo(wholeRun());
    }
  }

  @Test
  void shouldTrainTheSameWeightsWhenACutRunGoesOnItself() {
    SplittableRandom rows = new SplittableRandom(4);
    try (HandDrivenRun run = new HandDrivenRun(null, rows.split())) {
      for (int row = 0; row < HandDrivenRun.ROWS; row += rows.nextInt(1, 60)) {
        run.runTo(row);
        run.cut();
      }
      run.runTo(HandDrivenRun.ROWS);
      assertThat(run.end()).isEqualTo(wholeRun());
    }
  }

  private static End wholeRun() {
    try (HandDrivenRun run = new HandDrivenRun(null, new SplittableRandom(1))) {
      run.runTo(HandDrivenRun.ROWS);
      return run.end();
    }
  }

  private static State cutAt(int row, long seed) {
    try (HandDrivenRun first = new HandDrivenRun(null, new SplittableRandom(seed))) {
      first.runTo(row);
      return first.cut();
    }
  }

  private static final Config LIVE =
      Config.parse(
          """
          source: { generator: { stream: agrawal, records: 60_000, seed: 5, noise: 5% } }
          features: [ standardize: { fields: number } ]
          batch: { size: 48, maxDelay: none }
          model: { mlp: { hidden: [16] } }
          optimizer: { adam: { learningRate: 0.003 } }
          pipeline: { parallelism: 2, slots: 8 }
          http: none
          """);

  @Test
  void shouldGoOnFromACutAtAnyMomentOfALiveRun() {
    RunSnapshot whole = live(null);
    SplittableRandom random = new SplittableRandom(6);
    int restored = 0;
    for (int i = 0; i < 20; i++) {
      long row = random.nextInt(60_000);
      State saved = cutWhenTrained(row);
      if (saved != null) {
        restored++;
        RunSnapshot end = live(saved);
        assertThat(end.outcome()).as("cut %d, from row %d on", i, row).isEqualTo(whole.outcome());
        assertThat(end.cumulative()).isEqualTo(whole.cumulative());
        assertThat(end.window()).isEqualTo(whole.window());
        assertThat(end.batches()).isEqualTo(whole.batches());
      }
    }
    assertThat(restored).as("cuts that came before the end of the stream").isGreaterThan(5);
  }

  @Test
  void shouldTellWhoeverWaitsForACutThatTheRunWasStopped() throws Exception {
    GatedDevice device = new GatedDevice();
    CompletableFuture<State> cut;
    try (TrainingRun run = run(device, null)) {
      run.start();
      cut = run.cut();
      run.stop();
      assertThat(run.awaitEnd(Runs.LONG)).isTrue();
    }
    assertThat(cut.handle((saved, why) -> why).get(1, TimeUnit.MINUTES))
        .hasMessage("the run was stopped");
  }

  private static RunSnapshot live(@Nullable State saved) {
    try (TrainingRun run = run(new CpuDevice(), saved)) {
      run.start();
      return Runs.end(run);
    }
  }

  /** Null where the stream ended first. */
  private static @Nullable State cutWhenTrained(long rows) {
    try (TrainingRun run = run(new CpuDevice(), null)) {
      run.start();
      while (run.snapshot().rows().trained() < rows && !run.awaitEnd(Duration.ofNanos(50_000))) {
        Thread.onSpinWait();
      }
      return run.cut().handle((state, ended) -> state).join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static TrainingRun run(Device device, @Nullable State saved) {
    return new TrainingRun(LIVE, new RunOptions(0, Beginning.FRESH, new Rejected()), device, saved);
  }
}
