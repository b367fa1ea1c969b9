package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs of many steps on the emulator: whatever the streams' timing, the weights are the same. */
class CudaTrainingTest {
  private static final long SEED = 4711;
  private static final int ROWS = 33;
  private static final ModelSpec SPEC = spec(7, 12, 9);

  /** Its fused kernels need more shared memory than a block has without being told so. */
  private static final ModelSpec WIDE = spec(30, 120, 64);

  private static ModelSpec spec(int features, Integer... hidden) {
    return ModelSpec.of(
        new ModelConfig.Mlp(List.of(hidden), ModelConfig.Activation.GELU),
        new LossConfig.Auto(),
        new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 1),
        new LabelConfig("y", LabelType.CLASS, 5, List.of()),
        features);
  }

  /** Of few rows and of many, so that what an earlier step has left behind the real rows would be met. */
  private static List<Rows> minibatches(ModelSpec spec, int count) {
    SplittableRandom random = new SplittableRandom(SEED);
    List<Rows> minibatches = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int rows = i % 3 == 0 ? ROWS : 5 + random.nextInt(ROWS - 4);
      minibatches.add(Minibatches.random(spec, rows, true, random));
    }
    return minibatches;
  }

  /** A device with as many slots as twins and one more, each poisoned as soon as its step is reported. */
  private static final class Run implements AutoCloseable {
    final List<Rows> minibatches;
    final Program program;
    final SlotMemory memory;
    final DeviceSession session;
    final List<Slot> slots = new ArrayList<>();
    final StepResult result = new StepResult();
    long submitted;
    long reported;

    Run(CudaDevice device, int slotCount) {
      this(device, slotCount, SPEC, 60);
    }

    Run(CudaDevice device, int slotCount, ModelSpec spec, int steps) {
      minibatches = minibatches(spec, steps);
      program = Lowering.lower(spec, SlotLayout.of(ROWS + 2, spec.features()), 100);
      memory = device.slotMemory();
      session = device.open(program, InitialParameters.of(spec, SEED));
      for (int i = 0; i < slotCount; i++) {
        slots.add(SlotFiller.slot(program.layout(), memory));
      }
    }

    void train() {
      while (reported < minibatches.size()) {
        if (submitted < minibatches.size() && submitted - reported < slots.size()) {
          submit();
        }
        poll();
      }
    }

    void submit() {
      Slot slot = slot(submitted);
      SlotFiller.fill(slot, submitted, minibatches.get((int) submitted), submitted * ROWS);
      if (session.trySubmit(slot)) {
        submitted++;
      }
    }

    void poll() {
      while (session.poll(result)) {
        assertThat(result.sequence()).isEqualTo(reported);
        assertThat(result.status()).isEqualTo(Status.APPLIED);
        SlotFiller.poison(slot(reported));
        reported++;
      }
    }

    private Slot slot(long number) {
      return slots.get((int) (number % slots.size()));
    }

    @Override
    public void close() {
      session.close();
      memory.close();
    }
  }

  private String weights(CudaDevice device, boolean fused) {
    try (Run run = new Run(device, 4)) {
      assertThat(((CudaSession) run.session).isFused()).isEqualTo(fused);
      run.train();
      return run.session.weightsSha256();
    }
  }

  @ParameterizedTest
  @CsvSource({"BY_SHAPE,2", "BY_SHAPE,3", "BY_SHAPE,4", "GENERAL,2", "GENERAL,3", "GENERAL,4"})
  void shouldGiveTheSameWeightsWhateverIsLateThoughReleasedSlotsArePoisoned(
      Planning planning, int twins) {
    boolean fused = planning == Planning.BY_SHAPE;
    String atOnce = weights(EmulatedCuda.atOnce().device(planning), fused);
    for (int i = 0; i < 8; i++) {
      long seed = new java.util.SplittableRandom().nextLong();
      EmulatedCuda cuda = EmulatedCuda.late(seed);
      CudaDevice device = CudaDevice.of(0, Precision.FLOAT32, planning, twins);
      assertThat(weights(device, fused)).as("seed %d", seed).isEqualTo(atOnce);
      assertThat(cuda.count(Count.REORDERED)).as("steps beside each other").isPositive();
      Leaks.requireNone(cuda);
    }
  }

  @Test
  void shouldTakeAsManyStepsAsThereAreTwinsWithoutWaiting() {
    EmulatedCuda cuda = EmulatedCuda.late(SEED);
    try (Run run = new Run(CudaDevice.of(0, Precision.FLOAT32, Planning.BY_SHAPE, 2), 3)) {
      run.submit();
      run.submit();
      run.submit();
      assertThat(run.submitted).as("taken").isEqualTo(2);
      assertThat(run.reported).isZero();
      assertThatThrownBy(run.session::parameters).hasMessageContaining("2 steps are in flight");
      while (run.reported == 0) {
        run.poll();
      }
      run.submit();
      assertThat(run.submitted).isEqualTo(3);
    }
    Leaks.requireNone(cuda);
  }

  /** Adam turns errors relative to one gradient into errors relative to the rate, in each step. */
  @ParameterizedTest
  @CsvSource({"false,60", "true,6"})
  void shouldAgreeOnWeightsUpToRoundingWhicheverPlanATrainingHas(boolean wide, int steps) {
    EmulatedCuda cuda = EmulatedCuda.late(SEED);
    ModelSpec spec = wide ? WIDE : SPEC;
    try (Run fused = new Run(cuda.device(Planning.BY_SHAPE), 4, spec, steps);
        Run general = new Run(cuda.device(Planning.GENERAL), 4, spec, steps)) {
      fused.train();
      general.train();
      assertThat(((CudaSession) fused.session).isFused()).isTrue();
      assertThat(distance(fused.session.parameters(), general.session.parameters()))
          .isLessThan(steps * 16 * Math.ulp(1f));
    }
    Leaks.requireNone(cuda);
  }

  @ParameterizedTest
  @EnumSource
  void shouldAllocateNothingOnceASessionIsOpen(Planning planning) {
    EmulatedCuda cuda = EmulatedCuda.late(SEED);
    try (Run run = new Run(cuda.device(planning), 4)) {
      long before = cuda.count(Count.ALLOCATIONS);
      run.train();
      run.session.parameters();
      assertThat(cuda.count(Count.ALLOCATIONS)).isEqualTo(before);
    }
  }

  @Test
  void shouldSayWhatAKernelFaultMeansAndFreeEverything() {
    EmulatedCuda cuda = EmulatedCuda.late(SEED);
    try (Run run = new Run(cuda.device(), 4)) {
      run.submit();
      cuda.failNext("cuEventQuery", Cuda.CUDA_ERROR_ILLEGAL_ADDRESS);
      assertThatThrownBy(run::poll)
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("cuEventQuery failed with CUDA_ERROR_ILLEGAL_ADDRESS (700)")
          .hasMessageContaining("start again from the last checkpoint");
    }
    assertThat(cuda.count(Count.CONTEXTS)).isZero();
    // A new context begins anew.
    try (Run run = new Run(cuda.device(), 4)) {
      run.train();
    }
    Leaks.requireNone(cuda);
  }

  @Test
  void shouldSayHowMuchMemoryIsMissingAndFreeWhatItHad() {
    EmulatedCuda cuda = EmulatedCuda.atOnce();
    cuda.machine(90, 12_040, 20 << 20);
    CudaDevice device = cuda.device(Planning.GENERAL);
    Program program = Lowering.lower(SPEC, SlotLayout.of(ROWS, SPEC.features()), 100);
    assertThatThrownBy(() -> device.open(program, InitialParameters.of(SPEC, SEED)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("32 MiB of GPU memory wanted")
        .hasMessageContaining("of 20 MiB are free")
        .hasMessageContaining("make batch.size");
    Leaks.requireNone(cuda);
  }

  static Stream<Arguments> calls() {
    return Stream.of(
            "cuModuleLoadData",
            "cuStreamCreate",
            "cuMemHostAlloc",
            "cuStreamEndCapture",
            "cuEventCreate")
        .flatMap(call -> Stream.of(Planning.values()).map(p -> Arguments.of(call, p)));
  }

  @ParameterizedTest
  @MethodSource("calls")
  void shouldFreeWhatItHadWhereOpeningFails(String call, Planning planning) {
    EmulatedCuda cuda = EmulatedCuda.late(SEED);
    Program program = Lowering.lower(SPEC, SlotLayout.of(ROWS, SPEC.features()), 100);
    cuda.failNext(call, 999);
    CudaDevice device = cuda.device(planning);
    assertThatThrownBy(() -> device.open(program, InitialParameters.of(SPEC, SEED)))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(call + " failed");
    Leaks.requireNone(cuda);
  }

  @Test
  void shouldStayNearFloat32WithFactorsOfFewerBits() {
    EmulatedCuda.atOnce();
    float[] exact = lastParameters(Precision.FLOAT32);
    // 20 of the roundings of a factor, of 10 and of 7 bits, over parameters of size 1.
    assertThat(distance(exact, lastParameters(Precision.TF32))).isBetween(1e-9, 20 * 0x1p-11);
    assertThat(distance(exact, lastParameters(Precision.BF16))).isBetween(1e-9, 20 * 0x1p-8);
  }

  private float[] lastParameters(Precision precision) {
    try (Run run = new Run(CudaDevice.of(0, precision, Planning.GENERAL, 3), 4)) {
      run.train();
      return run.session.parameters();
    }
  }

  private static double distance(float[] a, float[] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs((double) a[i] - b[i]));
    }
    return most;
  }
}
