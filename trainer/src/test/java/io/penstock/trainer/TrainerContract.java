package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Barrier;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.LateDevice;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trainer on a device: slots freed in time, cuts that can be gone on from to the bit, nothing allocated. */
@Timeout(300)
public abstract class TrainerContract {
  private static final long SEED = 4711;
  private static final int ROWS = 33;
  private static final int SLOTS = 4;
  private static final ModelSpec SPEC =
      ModelSpec.of(
          new ModelConfig.Mlp(List.of(12, 9), ModelConfig.Activation.GELU),
          new LossConfig.Auto(),
          new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 1),
          new LabelConfig("y", LabelType.CLASS, 5, List.of()),
          7);

  /** The device under test. */
  protected abstract Device device();

  private final List<Rows> minibatches =
      Minibatches.random(SPEC, 60, ROWS, true, new SplittableRandom(SEED));
  private long now;

  /** Ring, session and trainer, driven by hand. */
  private final class Run implements AutoCloseable {
    final SlotRing ring;
    final DeviceSession session;
    final StageMeter meter = new StageMeter("device");
    final Trainer trainer;

    Run(Device device) {
      this(device, 0);
    }

    Run(Device device, double lossSpike) {
      Program program = Lowering.lower(SPEC, SlotLayout.of(ROWS, SPEC.features()), 100, lossSpike);
      ring = new SlotRing(SLOTS, program.layout(), device.slotMemory());
      session = device.open(program, InitialParameters.of(SPEC, SEED));
      trainer = new Trainer(ring, session, meter, () -> now++, () -> 1_000_000);
    }

    void train(int from, int to) {
      for (int i = from; i < to; i++) {
        while (!SlotFiller.offer(ring, i, minibatches.get(i), (long) i * ROWS)) {
          trainer.doWork();
        }
      }
    }

    State cut(long id) {
      Barrier barrier = new Barrier(id, 0);
      while (!SlotFiller.offer(ring, barrier)) {
        trainer.doWork();
      }
      while (!barrier.saved().isDone()) {
        trainer.doWork();
      }
      return barrier.saved().join();
    }

    String finish() {
      trainer.endOfStream();
      while (!trainer.isDone()) {
        trainer.doWork();
      }
      return session.weightsSha256();
    }

    @Override
    public void close() {
      session.close();
      ring.close();
    }
  }

  private String plainWeights() {
    try (Run run = new Run(device())) {
      run.train(0, minibatches.size());
      return run.finish();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void shouldGiveTheSameWeightsWhenStepsEndLateAndFreedSlotsArePoisoned(int late) {
    try (Run run = new Run(new LateDevice(device(), late, SEED))) {
      run.train(0, minibatches.size());
      assertThat(run.finish()).as("seed %d", SEED).isEqualTo(plainWeights());
    }
  }

  @Test
  void shouldReleaseSlotOnlyAfterItsStepHasEnded() {
    try (Run run = new Run(new LateDevice(device(), 3, SEED))) {
      SlotFiller.offer(run.ring, 0, minibatches.getFirst(), 0);
      run.trainer.doWork();
      while (run.ring.released() < 0) {
        assertThat(run.trainer.status().rowsTrained()).isZero();
        run.trainer.doWork();
      }
      run.trainer.status();
      run.trainer.doWork();
      assertThat(run.trainer.status().rowsTrained()).isEqualTo(ROWS);
    }
  }

  @Test
  void shouldGoOnToTheBitFromAStateSavedInMidRun() {
    String plain = plainWeights();
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < 10; i++) {
      int cut = random.nextInt(minibatches.size());
      State state;
      try (Run first = new Run(new LateDevice(device(), 2, i))) {
        first.train(0, cut);
        state = first.cut(i);
        first.train(cut, minibatches.size());
        assertThat(first.finish()).as("a barrier changes nothing").isEqualTo(plain);
      }
      try (Run second = new Run(device())) {
        second.trainer.restore(state);
        second.train(cut, minibatches.size());
        assertThat(second.finish()).as("cut at %d, seed %d", cut, SEED).isEqualTo(plain);
        TrainerStatus status = second.trainer.status();
        assertThat(status.stepsApplied()).isEqualTo(minibatches.size());
        assertThat(status.rowsTrained()).isEqualTo((long) ROWS * minibatches.size());
      }
    }
  }

  @Test
  void shouldSaveTheWeightsOfTheCutThoughStepsGoOnMeanwhile() {
    int cut = minibatches.size() / 2;
    State expected = new State();
    try (Run run = new Run(device())) {
      run.train(0, cut);
      run.finish();
      run.trainer.save(expected);
    }
    try (Run run = new Run(device())) {
      run.train(0, cut);
      for (int round = 0; round < 3; round++) {
        Barrier barrier = new Barrier(round, 0);
        while (!SlotFiller.offer(run.ring, barrier)) {
          run.trainer.doWork();
        }
        if (round == 0) {
          run.train(cut, minibatches.size());
        }
        while (!barrier.saved().isDone()) {
          run.trainer.doWork();
        }
        State state = barrier.saved().join();
        assertThat(state.equals(expected)).as("round %d", round).isEqualTo(round == 0);
        state.release();
      }
      run.finish();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void shouldStopAfterTooManyMinibatchesInARowThatWereNotApplied(int late) {
    int good = 20;
    List<Rows> spoilt = new ArrayList<>(minibatches.subList(0, good));
    for (Rows rows : minibatches.subList(good, minibatches.size())) {
      float[][] features = rows.features().clone();
      features[0] = features[0].clone();
      features[0][0] = Float.POSITIVE_INFINITY;
      spoilt.add(new Rows(features, rows.labels(), rows.weights()));
    }
    List<Long> told = new ArrayList<>();
    SkippedRows to =
        new SkippedRows() {
          @Override
          public void skipped(Slot slot, StepResult result) {
            assertThat(result.status()).isEqualTo(StepResult.Status.NOT_FINITE);
            told.add(slot.rowNumber(0));
          }

          @Override
          public void leftOut(long partition, long row) {}
        };
    try (Run run = new Run(new LateDevice(device(), late, SEED));
        Run whole = new Run(device())) {
      run.trainer.guard(3, 0.01, () -> true, to);
      int offered = 0;
      while (!run.trainer.isDone()) {
        if (SlotFiller.offer(run.ring, offered, spoilt.get(offered), (long) offered * ROWS)) {
          offered++;
        }
        run.trainer.doWork();
      }
      Poison poison = Objects.requireNonNull(run.trainer.poison());
      assertThat(poison.rows().getFirst().first()).isEqualTo((good - 1L) * ROWS);
      assertThat(poison.rows().getLast().last()).isEqualTo((good + 3L) * ROWS - 1);
      assertThat(poison.firstStep()).isEqualTo(good - 1);
      assertThat(told).startsWith((long) good * ROWS, (good + 1L) * ROWS, (good + 2L) * ROWS);
      whole.train(0, good);
      assertThat(run.session.weightsSha256()).isEqualTo(whole.finish());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void shouldTakeOverAnEarlierStateInMidStreamAndCountWhatIsLost(int late) {
    try (Run run = new Run(new LateDevice(device(), late, SEED));
        Run whole = new Run(device())) {
      run.train(0, 20);
      State cut = run.cut(0);
      run.train(20, 30);
      Barrier back = new Barrier(1, 0, cut);
      while (!SlotFiller.offer(run.ring, back)) {
        run.trainer.doWork();
      }
      run.train(30, 60);
      whole.train(0, 20);
      for (int i = 30; i < 60; i++) {
        while (!SlotFiller.offer(whole.ring, i, minibatches.get(i), (long) i * ROWS)) {
          whole.trainer.doWork();
        }
      }
      assertThat(run.finish()).isEqualTo(whole.finish());
      assertThat(back.saved()).isCompleted();
      TrainerStatus status = run.trainer.status();
      assertThat(status.rowsTrained()).isEqualTo(50L * ROWS);
      assertThat(status.trainedHash()).isEqualTo(whole.trainer.status().trainedHash());
      assertThat(status.rowsLost()).isEqualTo(10L * ROWS);
      RowTally lost = new RowTally();
      for (long row = 20L * ROWS; row < 30L * ROWS; row++) {
        lost.add(0, row);
      }
      assertThat(status.lostHash()).isEqualTo(lost.hash());
    }
  }

  @Test
  void shouldCountEachRowOnceWhateverTheDevice() {
    List<TrainerStatus> statuses = new ArrayList<>();
    for (Device device : List.of(device(), new LateDevice(device(), 3, SEED))) {
      try (Run run = new Run(device)) {
        run.train(0, minibatches.size());
        run.finish();
        statuses.add(run.trainer.status());
        assertThat(run.meter.rows()).isEqualTo((long) ROWS * minibatches.size());
      }
    }
    TrainerStatus plain = statuses.get(0);
    TrainerStatus late = statuses.get(1);
    assertThat(plain.rowsTrained()).isEqualTo((long) ROWS * minibatches.size());
    assertThat(late.trainedHash()).isEqualTo(plain.trainedHash());
    assertThat(late.evaluation()).isEqualTo(plain.evaluation());
    assertThat(plain.freshnessNanos().p50()).isBetween(0.96e6, 1.04e6);
  }

  @Test
  void shouldCountTheRowsOfASpikeAsSkipped() {
    for (float[] features : minibatches.get(50).features()) {
      for (int i = 0; i < features.length; i++) {
        features[i] *= 1000;
      }
    }
    try (Run run = new Run(device(), 10);
        Run second = new Run(device(), 10)) {
      run.train(0, 40);
      second.trainer.restore(run.cut(1));
      for (Run one : List.of(run, second)) {
        one.train(40, minibatches.size());
        one.finish();
        TrainerStatus status = one.trainer.status();
        assertThat(status.stepsApplied()).isEqualTo(minibatches.size() - 1);
        assertThat(status.stepsSkipped()).isEqualTo(1);
        assertThat(status.rowsTrained()).isEqualTo((long) ROWS * (minibatches.size() - 1));
        assertThat(status.rowsSkipped()).isEqualTo(ROWS);
      }
      assertThat(second.session.weightsSha256()).isEqualTo(run.session.weightsSha256());
    }
  }

  @Test
  void shouldNotSubmitAnythingAfterAStop() {
    try (Run run = new Run(device())) {
      for (int i = 0; i < 3; i++) {
        SlotFiller.offer(run.ring, i, minibatches.get(i), 0);
      }
      run.trainer.requestStop();
      run.trainer.doWork();
      assertThat(run.trainer.isDone()).isTrue();
      assertThat(run.ring.fill()).isEqualTo(3);
      assertThat(run.trainer.status().stepsApplied()).isZero();
    }
  }

  @Test
  void shouldEndStepsInFlightWhenClosed() {
    try (Run run = new Run(new LateDevice(device(), 3, SEED))) {
      for (int i = 0; i < 3; i++) {
        SlotFiller.offer(run.ring, i, minibatches.get(i), 0);
      }
      run.trainer.doWork();
      run.trainer.onClose();
      assertThat(run.ring.fill()).isZero();
      assertThat(run.trainer.status().stepsApplied()).isEqualTo(3);
    }
  }

  @Test
  @Tag("alone")
  void shouldAllocateNothingInSteadyState() {
    try (Run run = new Run(device())) {
      com.sun.management.ThreadMXBean threads =
          (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      int done = 0;
      // The JIT takes its time to compile everything; what counts is that it comes to an end of
      // allocating.
      for (int round = 0; round < 200_000 && least > 0; round++) {
        for (int i = 0; i < SLOTS; i++) {
          SlotFiller.offer(run.ring, done, minibatches.get(done % 60), 0);
          done++;
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        run.trainer.doWork();
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertThat(least).as("bytes allocated by %d steps", SLOTS).isZero();
    }
  }
}
