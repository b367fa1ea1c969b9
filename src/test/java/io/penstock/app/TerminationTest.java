package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TerminationTest {
  private @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void shouldEndTheRunReportAndExitAsTheSignalSays(String signal, int code) throws Exception {
    Process process = start("obedient");
    signal(process, signal);

    String out = process.inputReader().readAllAsString();
    assertThat(process.waitFor()).isEqualTo(code);
    assertThat(out).contains("Trained on 512 rows").contains("not trained  77 rows");
    assertThat(Files.readString(folder.resolve("report.json"))).contains("\"notTrained\" : 77");
  }

  @Test
  void shouldReportAndExitThoughTheStepInFlightDoesNotEnd() throws Exception {
    Process process = start("deaf");
    signal(process, "TERM");

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(143);
    assertThat(process.inputReader().readAllAsString()).contains("Trained on 512 rows");
  }

  @Test
  void shouldExitAtOnceOnASecondInterrupt() throws Exception {
    Process process = start("deaf");
    signal(process, "INT");
    // The status line tells that the first one has been taken.
    signalUntilEnd(process);

    assertThat(process.waitFor()).isEqualTo(130);
    assertThat(folder.resolve("report.json")).doesNotExist();
  }

  private Process start(String kind) throws IOException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--add-modules=jdk.incubator.vector",
                    "-cp",
                    System.getProperty("java.class.path"),
                    SignalledRun.class.getName(),
                    kind,
                    folder.resolve("report.json").toString()))
            .start();
    BufferedReader err = process.errorReader();
    String line = err.readLine();
    while (line != null && !line.contains("training from")) {
      line = err.readLine();
    }
    assertThat(line).as("the run has begun").isNotNull();
    return process;
  }

  private static void signal(Process process, String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  private static void signalUntilEnd(Process process) throws Exception {
    while (!process.waitFor(50, TimeUnit.MILLISECONDS)) {
      signal(process, "INT");
    }
  }
}
