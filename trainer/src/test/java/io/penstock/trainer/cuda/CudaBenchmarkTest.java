package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Precision;
import io.penstock.trainer.cuda.EmulatedCuda.Count;
import io.penstock.trainer.device.StepShape;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** That everything is measured and freed, on the emulator; what it measures is no figure of anything. */
class CudaBenchmarkTest {
  private final EmulatedCuda cuda = EmulatedCuda.late(4711);

  @AfterEach
  void shouldHaveFreedEverything() {
    Leaks.requireNone(cuda);
  }

  @Test
  void shouldTimeAStepInEveryWay() {
    StepShape shape = new StepShape(List.of(5, 4, 3), 7);
    try (CudaBenchmark benchmark = CudaBenchmark.open(0, shape, Precision.TF32, 1_000)) {
      assertThat(benchmark.streamedMicros()).isPositive();
      assertThat(benchmark.residentMicros()).isPositive();
      assertThat(benchmark.productsMicros(Precision.TF32)).isPositive();
      CudaBenchmark.Trace streamed = benchmark.trace(true);
      assertThat(streamed.copyMicros()).isPositive();
      assertThat(streamed.computeMicros()).isPositive();
      assertThat(streamed.hiddenShare()).isBetween(0.0, 1.0);
      CudaBenchmark.Trace resident = benchmark.trace(false);
      assertThat(resident.stepMicros()).isPositive();
      long before = cuda.count(Count.ALLOCATIONS);
      benchmark.streamedMicros();
      assertThat(cuda.count(Count.ALLOCATIONS)).isEqualTo(before);
    }
  }

  @Test
  void shouldTimePlainCopies() {
    assertThat(CudaBenchmark.plainCopyBytesPerSecond(0, 1 << 16, 3, 2)).isPositive();
  }

  @Test
  void shouldCallAnEmulatorOne() {
    GpuState state = GpuState.of(0);
    assertThat(state.emulated()).isTrue();
    assertThat(state.name()).isEqualTo("Emulated GPU");
    assertThat(state.usedBytes()).isZero();
    assertThat(state.pinnedBytes()).isZero();
  }
}
