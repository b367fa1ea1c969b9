package io.penstock.trainer.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.Minibatches;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps over and over, their number of rows and weights changing: what they take of each side's memory. */
@Tag("nd4j")
class SteadyStateTest {
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final StepResult RESULT = new StepResult();
  private static final int SLOTS = 8;
  private static final int ROWS = 50;

  /** More than enough for the JIT to have compiled what there is. */
  private static final int MAX_ROUNDS = 5_000;

  @ParameterizedTest
  @EnumSource(names = {"RELU", "GELU"})
  void shouldAllocateNothingOnEitherSideOfTheNativeCalls(ModelConfig.Activation activation) {
    ModelSpec spec =
        ModelSpec.of(
            new ModelConfig.Mlp(List.of(12, 9), activation),
            new LossConfig.Auto(),
            new OptimizerConfig.AdamW(0.01, 0.9, 0.999, 1e-8, 0.01, 1),
            new LabelConfig("y", LabelType.CLASS, 5, List.of()),
            7);
    Program program = Lowering.lower(spec, SlotLayout.of(ROWS, spec.features()), 100);
    Nd4jDevice device = Nd4jDevice.open();
    SplittableRandom random = new SplittableRandom(1);
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, InitialParameters.of(spec, 1))) {
      Slot[] slots = new Slot[SLOTS];
      for (int i = 0; i < SLOTS; i++) {
        slots[i] = SlotFiller.slot(program.layout(), memory);
        int rows = i % 2 == 0 ? ROWS : 1 + random.nextInt(ROWS);
        SlotFiller.fill(slots[i], i, Minibatches.random(spec, rows, i % 3 == 0, random), 0);
      }
      steps(session, slots);
      long counted = Pointer.totalBytes();
      long least = Long.MAX_VALUE;
      for (int round = 0; round < MAX_ROUNDS && least > 0; round++) {
        long before = heapBytes();
        steps(session, slots);
        least = Math.min(least, heapBytes() - before);
      }
      assertThat(least).as("heap bytes of %d steps", SLOTS).isZero();
      long nativeBytes = MallocMemory.takenBytes();
      for (int round = 0; round < 1000; round++) {
        steps(session, slots);
      }
      assertThat(Pointer.totalBytes()).as("bytes that JavaCPP counts").isLessThanOrEqualTo(counted);
      // A line of floats in each of these steps would be 2.5 MB; the JVM's compilers take a little,
      // too.
      assertThat(MallocMemory.takenBytes() - nativeBytes)
          .as("native bytes after %d steps", 1000 * SLOTS)
          .isLessThan(250_000);
    }
  }

  private static long heapBytes() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  private static void steps(DeviceSession session, Slot[] slots) {
    for (Slot slot : slots) {
      session.trySubmit(slot);
      while (!session.poll(RESULT)) {
        Thread.onSpinWait();
      }
    }
  }
}
