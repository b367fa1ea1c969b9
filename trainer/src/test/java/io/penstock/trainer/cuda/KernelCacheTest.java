package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept of compiled kernels, and what becomes of files that are damaged; on the emulator's NVRTC. */
class KernelCacheTest {
  private static final String PROPERTY = "penstock.cuda.cache";

  @TempDir private Path folder;
  private @Nullable String set;

  @BeforeEach
  void pointTheCacheHere() {
    EmulatedCuda.atOnce();
    set = System.getProperty(PROPERTY);
    System.setProperty(PROPERTY, folder.toString());
  }

  @AfterEach
  void pointTheCacheBack() {
    if (set == null) {
      System.clearProperty(PROPERTY);
    } else {
      System.setProperty(PROPERTY, set);
    }
  }

  private Path file() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  /** What a file is known by; another one in its place has another. */
  private static @Nullable Object identity(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
  }

  @Test
  void shouldCompileOnce() throws IOException {
    byte[] code = KernelSource.ROWS.compile("90");
    Object identity = identity(file());
    assertThat(KernelSource.ROWS.compile("90")).isEqualTo(code);
    assertThat(identity(file())).isEqualTo(identity);
  }

  @Test
  void shouldKeepEachArchitectureApart() throws IOException {
    KernelSource.ROWS.compile("90");
    KernelSource.ROWS.compile("80");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"empty", "checksum only", "cut off", "longer", "first bit", "last bit"})
  void shouldCompileAgainWhatIsDamaged(String damage) throws IOException {
    byte[] code = KernelSource.ROWS.compile("90");
    Path file = file();
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, damaged(whole, damage));
    assertThat(KernelSource.ROWS.compile("90")).isEqualTo(code);
    assertThat(file()).isEqualTo(file);
    assertThat(Files.readAllBytes(file)).isEqualTo(whole);
  }

  private static byte[] damaged(byte[] whole, String damage) {
    byte[] copy = whole.clone();
    switch (damage) {
      case "empty" -> copy = new byte[0];
      case "checksum only" -> copy = Arrays.copyOf(copy, 32);
      case "cut off" -> copy = Arrays.copyOf(copy, copy.length - 1);
      case "longer" -> copy = Arrays.copyOf(copy, copy.length + 1);
      case "first bit" -> copy[0] ^= (byte) 0x80;
      default -> copy[copy.length - 1] ^= 1;
    }
    return copy;
  }

  @Test
  void shouldCompileWhereNothingCanBeKept() throws IOException {
    Path occupied = folder.resolve("file");
    Files.writeString(occupied, "no folder");
    System.setProperty(PROPERTY, occupied.toString());
    assertThat(KernelSource.ROWS.compile("90")).isNotEmpty();
  }
}
