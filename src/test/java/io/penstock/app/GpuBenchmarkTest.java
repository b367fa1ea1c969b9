package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command as it runs on a GPU machine, but on the emulator: that it runs through, and what it says of that. */
class GpuBenchmarkTest {
  @TempDir Path folder;

  private record Outcome(int exit, JsonNode report, String table, String said) {}

  private Outcome bench(String library, String... options) throws Exception {
    List<String> flags = new ArrayList<>();
    for (String property : List.of("driver", "nvrtc", "cublaslt")) {
      flags.add("-Dpenstock.cuda.%s=%s".formatted(property, library));
    }
    flags.add("-Dpenstock.cuda.cache=" + folder.resolve("cache"));
    Path report = folder.resolve("out.json");
    List<String> arguments = new ArrayList<>(List.of("bench", "gpu", "--report", "" + report));
    arguments.addAll(List.of(options));
    Process process =
        ChildJvm.builder(Penstock.class, flags, arguments.toArray(String[]::new))
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exit = process.waitFor();
    return new Outcome(
        exit,
        JsonMapper.shared().readTree(Files.readString(report)),
        Files.readString(folder.resolve("out.md")),
        said);
  }

  private static List<String> ends(Outcome outcome) {
    List<String> ends = new ArrayList<>();
    outcome
        .report()
        .path("sections")
        .forEach(s -> ends.add(s.path("name").asString() + " " + s.path("end").asString()));
    return ends;
  }

  private String emulator() throws Exception {
    Process build =
        ChildJvm.builder(
                Class.forName("io.penstock.trainer.cuda.EmulatedCuda"),
                List.of(),
                folder.toString())
            .start();
    String path = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assumeTrue(build.waitFor() == 0, "no CUDA emulator: is there no g++?");
    return path;
  }

  @Test
  void shouldRunThroughOnTheEmulatorAndSaySoWhereverItSpeaks() throws Exception {
    Outcome outcome = bench(emulator(), "--only", "contract,grid,streaming");

    assertThat(ends(outcome))
        .as(outcome.said())
        .containsExactly("contract not_run", "grid done", "streaming done");
    assertThat(outcome.exit()).isEqualTo(ExitCode.EMULATED);
    assertThat(outcome.report().path("deviceKind").asString()).isEqualTo("emulator");
    assertThat(outcome.report().path("verdict").asString()).isEqualTo("emulator");
    assertThat(outcome.report().path("targets"))
        .hasSizeGreaterThan(7)
        .allSatisfy(t -> assertThat(t.path("outcome").asString()).isEqualTo("emulated"))
        .allSatisfy(t -> assertThat(t.path("measured").asString()).isEmpty());
    for (JsonNode section : outcome.report().path("sections")) {
      assertThat(section.path("lines"))
          .allSatisfy(line -> assertThat(line.path("emulated").asBoolean()).isTrue());
    }
    assertThat(outcome.table())
        .contains("No number in it is a figure of a GPU", "Emulated GPU", "only the archive");
  }

  @Test
  void shouldReportEverySectionThoughAllFail() throws Exception {
    Outcome outcome = bench("/nowhere/libcuda.so.1", "--only", "grid,products");
    assertThat(outcome.exit()).isEqualTo(ExitCode.FAILED);
    assertThat(ends(outcome)).containsExactly("grid failed", "products failed");
    assertThat(outcome.report().path("deviceKind").asString()).isEqualTo("none");
    assertThat(outcome.table())
        .contains("| GPU | none was found |")
        .contains("no library could be loaded; looked for /nowhere/libcuda.so.1");
  }

  @Test
  void shouldNameWhatTheTimeDoesNotSufficeFor() throws Exception {
    Outcome outcome = bench("/nowhere/libcuda.so.1", "--only", "grid,cpu", "--limit", "0s");
    assertThat(outcome.exit()).isEqualTo(ExitCode.FAILED);
    assertThat(ends(outcome)).containsExactly("grid not_run", "cpu not_run");
    assertThat(outcome.table()).contains("no time was left");
  }
}
