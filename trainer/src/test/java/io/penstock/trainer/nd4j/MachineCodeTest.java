package io.penstock.trainer.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.trainer.nd4j.Gpus.Gpu;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineCodeTest {
  /** Set it to the jar, or have it in the local repository. */
  private static final Path JAR =
      Path.of(
          System.getProperty(
              "penstock.nd4j.cuda.jar",
              System.getProperty("user.home")
                  + "/.m2/repository/org/nd4j/nd4j-cuda-11.6/1.0.0-M2.1/nd4j-cuda-11.6-1.0.0-M2.1-linux-x86_64.jar"));

  @Test
  void shouldReadWhichGpusALibraryHasCodeFor() throws IOException {
    ByteBuffer file = ByteBuffer.allocate(3 << 20).order(ByteOrder.LITTLE_ENDIAN);
    fatBinary(file.position(64), 2, 37, 2, 50);
    // Across the end of what is read at once.
    fatBinary(file.position((1 << 20) - 8), 2, 86, 1, 80);
    MachineCode code = MachineCode.read(new ByteArrayInputStream(file.array()));
    assertThat(code.machine()).containsExactly(37, 50, 86);
    assertThat(code.ptx()).containsExactly(80);
  }

  private static void fatBinary(ByteBuffer to, int kind1, int sm1, int kind2, int sm2) {
    int codeBytes = 400;
    int entryBytes = 64 + codeBytes;
    to.putInt(0xba55ed50).putShort((short) 1).putShort((short) 16).putLong(2L * entryBytes);
    for (int[] entry : new int[][] {{kind1, sm1}, {kind2, sm2}}) {
      int at = to.position();
      to.putShort((short) entry[0]).putShort((short) 0x101).putInt(64).putLong(codeBytes);
      to.putInt(at + 28, entry[1]);
      to.position(at + entryBytes);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "3, 5, false",
    "3, 7, true",
    "5, 2, true",
    "7, 0, true",
    "7, 5, true",
    "8, 0, true",
    "8, 6, true",
    "8, 9, true",
    "9, 0, false",
    "10, 0, false",
    "12, 0, false"
  })
  void shouldKnowTheGpusThatThePublishedLibraryRunsOn(int major, int minor, boolean runs) {
    assertThat(MachineCode.PUBLISHED.runsOn(major, minor)).isEqualTo(runs);
  }

  @Test
  void shouldRunPtxOnNewerGpus() {
    MachineCode code = new MachineCode(new TreeSet<>(List.of(80)), new TreeSet<>(List.of(80)));
    assertThat(code.runsOn(9, 0)).isTrue();
    assertThat(code.runsOn(7, 5)).isFalse();
  }

  @Test
  void shouldRefuseAGpuBeyondTheMachineCodeAndNameTheDeviceForIt() {
    assertThatThrownBy(() -> Gpus.refuse(new Gpu("NVIDIA H100", 9, 0, 80L << 30)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("NVIDIA H100 (compute capability 9.0, 80.0 GiB)")
        .hasMessageContaining("sm_37 to sm_86 and no PTX")
        .hasMessageEndingWith("take device cuda");
    assertThatThrownBy(() -> Gpus.refuse(new Gpu("Tesla K40", 3, 5, 12L << 30)))
        .hasMessageEndingWith("take device cpu");
    Gpus.refuse(new Gpu("NVIDIA A100", 8, 0, 40L << 30));
  }

  @Test
  void shouldFindInThePublishedLibraryWhatIsSaidOfIt() throws IOException {
    assumeTrue(
        Files.exists(JAR),
        () -> JAR + " is not here: 2 GB, fetched by ./penstock --with nd4j-cuda only");
    try (ZipFile jar = new ZipFile(JAR.toFile())) {
      ZipEntry library =
          jar.stream()
              .filter(entry -> entry.getName().endsWith("/libnd4jcuda.so"))
              .findFirst()
              .orElseThrow();
      try (InputStream in = jar.getInputStream(library)) {
        MachineCode code = MachineCode.read(in);
        assertThat(code.ptx()).isEmpty();
        assertThat(code.machine().first()).isEqualTo(MachineCode.PUBLISHED.machine().first());
        assertThat(code.machine().last()).isEqualTo(MachineCode.PUBLISHED.machine().last());
        assertThat(code.machine()).containsAll(MachineCode.PUBLISHED.machine());
      }
    }
  }
}
