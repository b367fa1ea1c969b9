package io.penstock.trainer.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FmaUseTest {
  /** What a JVM with the flags of the test below runs. */
  static final class Open {
    private Open() {}

    public static void main(String[] arguments) {
      FmaUse.require();
    }
  }

  @Test
  void shouldBeThereWhereTestsRun() {
    FmaUse.require();
  }

  @Test
  void shouldBeMissedInAJvmThatDoesNotUseIt() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UseFMA",
                "-cp",
                System.getProperty("java.class.path"),
                Open.class.getName())
            .redirectErrorStream(true)
            .start();
    String output;
    try (var stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(process.waitFor()).as(output).isEqualTo(1);
    assertThat(output).contains("cpu: the processor must have FMA").contains("UseFMA is false");
  }
}
