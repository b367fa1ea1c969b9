package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.Precision;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.Minibatches;
import io.penstock.trainer.cuda.EmulatedCuda.Count;
import io.penstock.trainer.cuda.EmulatedCuda.Span;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * 1,000 steps on the emulator whose streams run beside each other in ticks: what ran when. It shows that the calls leave copies and
 * computing free to overlap, and nothing about how fast a GPU does either.
 */
class EventTraceTest {
  private static final int STEPS = 1_000;
  private static final int ROWS = 5;
  private static final int COPY_TICKS = 100;
  private static final int KERNEL_TICKS = 20;
  private static final long SEED = 4711;
  private static final ModelSpec SPEC =
      ModelSpec.of(
          new ModelConfig.Mlp(List.of(4), ModelConfig.Activation.RELU),
          new LossConfig.Auto(),
          new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 0),
          new LabelConfig("y", LabelType.CLASS, 3, List.of()),
          3);
  private static final List<Rows> MINIBATCHES =
      Minibatches.random(SPEC, 50, ROWS, true, new SplittableRandom(SEED));

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(EmulatedCuda.atOnce());
  }

  /** Trains all steps; each slot is poisoned as soon as its step is reported. Returns the weights' hash. */
  private static String train(EmulatedCuda cuda, int twins, int slotCount) {
    Program program = Lowering.lower(SPEC, SlotLayout.of(ROWS, SPEC.features()), 100);
    CudaDevice device = CudaDevice.of(0, Precision.FLOAT32, Planning.GENERAL, twins);
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, InitialParameters.of(SPEC, SEED))) {
      Slot[] slots = new Slot[slotCount];
      for (int i = 0; i < slotCount; i++) {
        slots[i] = SlotFiller.slot(program.layout(), memory);
      }
      StepResult result = new StepResult();
      cuda.traceFromHere();
      long allocations = -1;
      int submitted = 0;
      int reported = 0;
      while (reported < STEPS) {
        if (submitted < STEPS && submitted - reported < slotCount) {
          Slot slot = slots[submitted % slotCount];
          SlotFiller.fill(
              slot, submitted, MINIBATCHES.get(submitted % 50), (long) submitted * ROWS);
          if (session.trySubmit(slot)) {
            submitted++;
          }
        }
        while (session.poll(result)) {
          assertThat(result.status()).isEqualTo(Status.APPLIED);
          SlotFiller.poison(slots[reported % slotCount]);
          reported++;
          if (reported == 1) {
            allocations = cuda.count(Count.ALLOCATIONS);
          }
        }
      }
      assertThat(cuda.count(Count.ALLOCATIONS))
          .as("pinned and device memory allocated after the first step")
          .isEqualTo(allocations);
      return session.weightsSha256();
    }
  }

  @Test
  void shouldCopyTheNextMinibatchWhileOneIsComputedOnTwoTwins() {
    EmulatedCuda cuda = EmulatedCuda.timed(SEED, COPY_TICKS, KERNEL_TICKS, 0);
    train(cuda, 2, 3);
    List<Span> copies = cuda.traced(false).subList(0, STEPS);
    List<Span> computes = cuda.traced(true);
    assertThat(computes).hasSize(STEPS);
    for (int n = 0; n + 1 < STEPS; n++) {
      assertThat(copies.get(n + 1).overlaps(computes.get(n)))
          .as("copy %d %s beside compute %d %s", n + 1, copies.get(n + 1), n, computes.get(n))
          .isTrue();
    }
  }

  @Test
  void shouldHideEveryCopyBehindComputingOnThreeTwins() {
    EmulatedCuda cuda = EmulatedCuda.timed(SEED, COPY_TICKS, KERNEL_TICKS, 0);
    train(cuda, 3, 4);
    List<Span> copies = cuda.traced(false).subList(0, STEPS);
    List<Span> computes = cuda.traced(true);
    for (int n = 3; n < STEPS; n++) {
      Span copy = copies.get(n);
      // A third twin lets copies run ahead: beside the computing of an earlier step, and over
      // before the last one's end.
      assertThat(computes.subList(n - 3, n)).as("copy %d", n).anyMatch(copy::overlaps);
      assertThat(copy.end()).as("copy %d", n).isLessThanOrEqualTo(computes.get(n - 1).end());
    }
  }

  @Test
  void shouldKeepOrderAndWeightsHoweverLateEventsAre() {
    String atOnce = train(EmulatedCuda.atOnce(), 3, 4);
    long seed = new SplittableRandom().nextLong();
    EmulatedCuda cuda = EmulatedCuda.timed(seed, COPY_TICKS, KERNEL_TICKS, 5 * COPY_TICKS);
    assertThat(train(cuda, 3, 4)).as("seed %d", seed).isEqualTo(atOnce);
    List<Span> copies = cuda.traced(false).subList(0, STEPS);
    List<Span> computes = cuda.traced(true);
    for (int n = 0; n < STEPS; n++) {
      assertThat(computes.get(n).begin()).isGreaterThanOrEqualTo(copies.get(n).end());
      if (n >= 3) {
        assertThat(copies.get(n).begin()).isGreaterThanOrEqualTo(computes.get(n - 3).end());
      }
    }
  }
}
