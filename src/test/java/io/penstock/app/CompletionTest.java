package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that {@code penstock completion} prints, in the bash of this machine. */
class CompletionTest {
  private static final Path BASH = Path.of("/bin/bash");

  private @TempDir Path folder;

  @Test
  void shouldCompleteCommandsAndOptions() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(BASH), "there is no " + BASH);
    Path script =
        Files.writeString(
            folder.resolve("penstock.bash"), Console.start("completion").outAfter(ExitCode.OK));

    assertThat(bash("-n", script.toString())).isEmpty();
    assertThat(bash("-c", ". " + script + "; complete -p penstock"))
        .contains("-F _complete_penstock")
        .endsWith(" penstock\n");
    assertThat(completed(script, "penstock ''", 1))
        .contains("train", "check", "feed", "inspect", "devices", "bench", "completion");
    assertThat(completed(script, "penstock train --", 2))
        .contains("--set", "--max-records", "--report", "--fresh");
    assertThat(completed(script, "penstock feed --tok", 2))
        .containsExactlyInAnyOrder("--token-file", "--token-environment");
    assertThat(completed(script, "penstock bench g", 2)).containsExactly("gpu");
  }

  /** What bash would offer for the word of that number. */
  private List<String> completed(Path script, String words, int word) throws Exception {
    return bash(
            "-c",
            "compopt() { :; }; . %s; COMP_WORDS=(%s); COMP_CWORD=%d; _complete_penstock; printf '%%s\\n' \"${COMPREPLY[@]}\""
                .formatted(script, words, word))
        .lines()
        .map(String::strip)
        .toList();
  }

  private static String bash(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(BASH.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = process.inputReader().readAllAsString();
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
