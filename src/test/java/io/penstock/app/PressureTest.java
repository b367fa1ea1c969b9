package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PressureTest {

  @Test
  void shouldBlockTheSenderAndLoseNothingWithASmallHeap() throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(
        List.of(
            "-Xmx256m",
            "-XX:MaxDirectMemorySize=64m",
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            PressedRun.class.getName()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String out = process.inputReader().readAllAsString();

    assertThat(process.waitFor()).isZero();
    Map<String, String> seen =
        Stream.of(out.lines().findFirst().orElse("").split(" "))
            .map(pair -> pair.split("="))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    long capacity = Long.parseLong(seen.get("poolCapacityBytes"));
    assertThat(Long.parseLong(seen.get("poolHeldBytes")))
        .isPositive()
        .isLessThanOrEqualTo(capacity);
    // 30 MB of rows in all; what got in is what kernel buffers, pool and ring hold.
    assertThat(Long.parseLong(seen.get("blockedAfterBytes"))).isLessThan(20_000_000);
    assertThat(Long.parseLong(seen.get("movedOnBytes"))).isPositive();
    assertThat(out).contains("state=ENDED trained=1500000 rejected=0 poolHeldBytes=0");
  }
}
