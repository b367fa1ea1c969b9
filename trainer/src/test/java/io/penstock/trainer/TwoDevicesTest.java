package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The cpu device loads OpenBLAS by itself, nd4j by JavaCPP: two libraries of one name and one version in one process. */
@Tag("nd4j")
class TwoDevicesTest {
  @Test
  void shouldComputeTheSameBesideTheOtherDeviceWhicheverWasLoadedFirst() throws Exception {
    List<String> alone = new ArrayList<>(train("cpu"));
    alone.addAll(train("nd4j"));
    assertThat(alone).hasSize(2);
    assertThat(train("cpu", "nd4j")).containsExactlyInAnyOrderElementsOf(alone);
    assertThat(train("nd4j", "cpu")).containsExactlyInAnyOrderElementsOf(alone);
  }

  private static List<String> train(String... devices) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                TwoDevices.class.getName()));
    command.addAll(List.of(devices));
    Process child =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String out = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor()).as(out).isZero();
    return out.lines().toList();
  }
}
