package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** NVIDIA's own compilers take every kernel, for each generation of GPUs: nvcc where it is installed, NVRTC where it is named. */
class KernelCompilationTest {
  private static final List<String> ARCHITECTURES = List.of("80", "90", "100", "120");

  @TempDir private Path folder;

  static Stream<Arguments> kernels() {
    return Arrays.stream(KernelSource.values())
        .flatMap(source -> ARCHITECTURES.stream().map(a -> Arguments.of(source, a)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void shouldCompileByNvcc(KernelSource source, String architecture) throws Exception {
    Path nvcc = nvcc();
    assumeTrue(nvcc != null, "there is no nvcc on the path or in /usr/local/cuda/bin");
    for (String header : KernelSource.HEADERS) {
      Files.writeString(folder.resolve(header), KernelSource.text(header));
    }
    Files.writeString(folder.resolve(source.file()), KernelSource.text(source.file()));
    List<String> command = new ArrayList<>();
    command.add(String.valueOf(nvcc));
    command.addAll(KernelSource.options(architecture));
    command.addAll(List.of("-cubin", "-Werror=all-warnings", "-o", "kernels.cubin", source.file()));
    Process compiler =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor()).as(said).isZero();
    assertThat(Files.size(folder.resolve("kernels.cubin"))).isPositive();
  }

  /** By hand: the emulator takes NVRTC's place in a JVM that runs its tests, so this one wants a JVM of its own. */
  @ParameterizedTest
  @MethodSource("kernels")
  @EnabledIfSystemProperty(named = "penstock.test.nvrtc", matches = ".+")
  void shouldCompileByNvrtc(KernelSource source, String architecture) throws IOException {
    System.setProperty(Nvrtc.PROPERTY, System.getProperty("penstock.test.nvrtc"));
    System.setProperty("penstock.cuda.cache", folder.toString());
    byte[] code = source.compile(architecture);
    assertThat(new String(code, 0, 4, StandardCharsets.ISO_8859_1)).isEqualTo("\u007fELF");
    assertThat(source.compile(architecture)).as("from the cache").isEqualTo(code);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
  }

  private static @Nullable Path nvcc() {
    String path = System.getenv("PATH") + File.pathSeparator + "/usr/local/cuda/bin";
    for (String part : path.split(File.pathSeparator, -1)) {
      Path file = Path.of(part, "nvcc");
      if (Files.isExecutable(file)) {
        return file;
      }
    }
    return null;
  }
}
