package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is said of GPUs that are there, and of those that cannot be used. */
class CudaDeviceTest {
  @Test
  void shouldDescribeItself() {
    CudaDevice device = EmulatedCuda.atOnce().device();
    assertThat(device.name()).isEqualTo("cuda");
    assertThat(device.description())
        .isEqualTo(
            "Emulated GPU, compute capability 9.0, 8192 MiB, driver for CUDA 13.0, NVRTC 12.4, cuBLASLt 12.4, float32");
  }

  @Test
  void shouldRefuseAGpuThatIsTooOld() {
    EmulatedCuda.atOnce().machine(75, 12_040, 1 << 30);
    assertThatThrownBy(() -> CudaDevice.of(0, Precision.TF32))
        .hasMessage("cuda: Emulated GPU has compute capability 7.5, and 8.0 is needed");
  }

  @Test
  void shouldGiveEveryReason() {
    EmulatedCuda.atOnce().machine(61, 11_040, 1 << 30);
    assertThatThrownBy(() -> CudaDevice.of(0, Precision.FLOAT32))
        .hasMessageContaining("the driver is too old: it knows CUDA 11.4, and 12.0 is needed")
        .hasMessageContaining("has compute capability 6.1")
        .hasMessageContaining("NVRTC 12.4 is too new for the driver");
  }

  @Test
  void shouldRefuseAGpuThatIsNotThere() {
    EmulatedCuda.atOnce();
    assertThatThrownBy(() -> CudaDevice.of(3, Precision.FLOAT32))
        .hasMessage("cuda: there is no GPU 3; GPUs found: 1");
  }

  @Test
  void shouldPassOnWhatTheDriverSays() {
    EmulatedCuda.atOnce().failNext("cuInit", Cuda.CUDA_ERROR_NO_DEVICE);
    assertThatThrownBy(() -> CudaDevice.of(0, Precision.FLOAT32))
        .hasMessageContaining("cuInit failed with")
        .hasMessageContaining("there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it");
  }

  @Test
  void shouldSayWhereItLookedForALibrary() {
    NativeLibrary library =
        NativeLibrary.find(
            "NVRTC", "no.such.property", List.of("libnone.so.7"), List.of(Path.of("/nowhere")));
    library.function("int none(int)");
    assertThat(library.failure())
        .isEqualTo(
            "NVRTC: no library could be loaded; looked for libnone.so.7, /nowhere/libnone.so.7 (-Dno.such.property=FILE names another)");
    assertThatThrownBy(library::require).hasMessageStartingWith("cuda: NVRTC: no library");
  }

  @Test
  void shouldSayWhichFunctionALibraryLacks() {
    NativeLibrary library = NativeLibrary.find("libc", "none", List.of("libc.so.6"), List.of());
    library.function("int getpid()");
    assertThat(library.failure()).isNull();
    library.function("int noSuchFunction(int, void*)");
    assertThat(library.failure())
        .isEqualTo("libc: it has no noSuchFunction: it is too old (CUDA 12 is needed)");
  }

  @Test
  void shouldSayWhatTheCompilerSays() {
    EmulatedCuda.atOnce();
    assertThatThrownBy(() -> Nvrtc.compile("nothing", "x.cu", Map.of(), List.of("-DX=1")))
        .hasMessage("cuda: NVRTC cannot compile x.cu ([-DX=1]): no kernels");
  }
}
