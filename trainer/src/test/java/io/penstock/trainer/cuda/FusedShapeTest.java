package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.Precision;
import io.penstock.pipeline.SlotLayout;
import io.penstock.trainer.cuda.EmulatedCuda.Count;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Dense;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which models have fused kernels on which GPUs. */
class FusedShapeTest {
  private static final int PLAIN = 48 << 10;
  private static final int CONSUMER = 99 << 10;
  private static final int H100 = 227 << 10;

  @BeforeAll
  static void findTheEmulator() {
    EmulatedCuda.prepare();
  }

  private static Program program(int capacityRows, Activation last, String dims) {
    int[] widths = Arrays.stream(dims.split("-")).mapToInt(Integer::parseInt).toArray();
    List<Dense> layers = new ArrayList<>();
    for (int i = 0; i + 1 < widths.length; i++) {
      boolean isLast = i + 2 == widths.length;
      layers.add(new Dense(widths[i], widths[i + 1], isLast ? last : Activation.SILU));
    }
    ModelSpec spec =
        new ModelSpec(
            layers,
            Initial.ZERO,
            widths[widths.length - 1],
            new LossConfig.Softmax(),
            new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 1));
    return Lowering.lower(spec, SlotLayout.of(capacityRows, widths[0]), 100);
  }

  @ParameterizedTest
  @CsvSource({
    "54-7,          256, true,  true,  true",
    "54-64-7,       256, true,  true,  true",
    "54-64-7,      1024, true,  true,  true",
    "54-64-7,      1025, false, false, false",
    "54-64-64,      256, true,  true,  true",
    "54-64-65,      256, false, false, false",
    "54-128-64-7,   256, false, true,  true",
    "54-256-64-7,   256, false, false, true",
    "54-256-128-7,  256, false, false, false",
    "2-2-2-2-2-2-2-2-2,   1, true,  true,  true",
    "2-2-2-2-2-2-2-2-2-2, 1, false, false, false",
    "784-512-512-10, 256, false, false, false"
  })
  void shouldDependOnShapeAndSharedMemory(
      String dims, int capacityRows, boolean onPlain, boolean onConsumer, boolean onH100) {
    Program program = program(capacityRows, Activation.IDENTITY, dims);
    assertThat(FusedShape.of(program, PLAIN) != null).isEqualTo(onPlain);
    assertThat(FusedShape.of(program, CONSUMER) != null).isEqualTo(onConsumer);
    assertThat(FusedShape.of(program, H100) != null).isEqualTo(onH100);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeaveOutputsWithAnActivationToTheGeneralPlan(Activation last) {
    assertThat(FusedShape.of(program(8, last, "5-4-3"), H100) != null)
        .isEqualTo(last == Activation.IDENTITY);
  }

  @Test
  void shouldLeaveToTheGeneralPlanWhatIsNoWholeStepOfAModel() {
    Program whole = program(8, Activation.IDENTITY, "5-4-3");
    List<List<KernelCall>> phases = List.of(whole.forward(), whole.gradient(), whole.update());
    for (List<KernelCall> changed : phases) {
      for (int i = 0; i < changed.size(); i++) {
        List<KernelCall> fewer = new ArrayList<>(changed);
        fewer.remove(i);
        List<KernelCall> more = new ArrayList<>(changed);
        more.add(i, changed.get(i));
        for (List<KernelCall> other : List.of(fewer, more)) {
          assertThat(FusedShape.of(with(whole, changed, other), H100))
              .as("call %s", changed.get(i))
              .isNull();
        }
      }
    }
  }

  private static Program with(Program p, List<KernelCall> phase, List<KernelCall> other) {
    return new Program(
        p.layout(),
        p.parameters(),
        p.optimizerSize(),
        p.scratchSize(),
        p.outputs(),
        p.metrics(),
        p.forward().equals(phase) ? other : p.forward(),
        p.gradient().equals(phase) ? other : p.gradient(),
        p.reduce(),
        p.update().equals(phase) ? other : p.update());
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeThreeLaunchesWhateverThePrecision(Precision precision) {
    EmulatedCuda cuda = EmulatedCuda.atOnce();
    assertThat(launches(cuda, precision, Planning.BY_SHAPE)).isEqualTo(3);
    assertThat(launches(cuda, precision, Planning.GENERAL)).isGreaterThan(10);
    // What a block of a GPU has no room for.
    cuda.sharedMemory(20 << 10);
    assertThat(launches(cuda, precision, Planning.BY_SHAPE)).isGreaterThan(10);
    Leaks.requireNone(cuda);
  }

  /** Those of the step that a session rehearses. */
  private static long launches(EmulatedCuda cuda, Precision precision, Planning planning) {
    long before = cuda.count(Count.LAUNCHES);
    Program program = program(256, Activation.IDENTITY, "54-64-7");
    CudaDevice device = CudaDevice.of(0, precision, planning, 2);
    try (DeviceSession session = device.open(program, new float[program.size(Region.PARAMETERS)])) {
      long launches = cuda.count(Count.LAUNCHES) - before;
      assertThat(((CudaSession) session).isFused()).isEqualTo(launches == 3);
      return launches;
    }
  }
}
