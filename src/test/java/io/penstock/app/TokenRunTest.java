package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs whose listeners ask for a token, by the command line. */
class TokenRunTest {
  private static final String SECRET = "0123456789abcdef-hunter2-0123456789abcdef";

  private @TempDir Path folder;

  @Test
  void shouldTrainFromItsOwnFeedOnAllAddressesAndNeverShowTheToken() throws Exception {
    Path token = Files.writeString(folder.resolve("token"), SECRET + "\n");
    Path report = folder.resolve("report.json");
    Path config =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            source:
              tcp:
                port: 0
                bind: 0.0.0.0
                token: { file: %1$s }
                feed: { generator: { stream: sea, records: 20000 } }
            model: logistic
            checkpoint: { directory: %2$s/state }
            http: { port: 0, bind: 0.0.0.0, token: { file: %1$s } }
            """
                .formatted(token, folder));

    Console check = Console.start("check", config.toString());
    assertThat(check.outAfter(ExitCode.OK))
        .contains("ok       source.tcp.token: from " + token)
        .contains("ok       http.token: from " + token)
        .doesNotContain("hunter2");
    Console train = Console.start("train", config.toString(), "--report", report.toString());
    assertThat(train.outAfter(ExitCode.OK))
        .contains("Trained on 20,000 rows")
        .doesNotContain("hunter2");

    assertThat(Files.readString(report)).doesNotContain("hunter2");
    try (Stream<Path> files = Files.walk(folder.resolve("state"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain("hunter2");
      }
    }
  }

  @Test
  void shouldSayBeforeItTrainsThatTheTokenIsMissing() throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            source: { generator: { stream: sea, records: 100 } }
            model: logistic
            http: { port: 0, token: { environment: PENSTOCK_NO_SUCH_VARIABLE } }
            """);

    assertThat(Console.start("check", config.toString()).outAfter(ExitCode.USAGE))
        .contains("PROBLEM  http.token: the variable PENSTOCK_NO_SUCH_VARIABLE is not set\n");
    Console train = Console.start("train", config.toString());
    assertThat(train.exit()).isEqualTo(ExitCode.USAGE);
    assertThat(train.err())
        .isEqualTo("penstock: http.token: the variable PENSTOCK_NO_SUCH_VARIABLE is not set\n");
  }

  @Test
  void shouldBeFedByThoseWhoGiveTheToken() throws Exception {
    Path token = Files.writeString(folder.resolve("token"), SECRET);
    Path wrong = Files.writeString(folder.resolve("wrong"), SECRET + "0");
    Path config =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            source: { tcp: { port: 0, endAfterConnections: 1, token: { file: %s } } }
            schema: { label: { field: label, type: class, classes: 2 }, fields: { "x*": number } }
            model: logistic
            http: none
            """
                .formatted(token));
    Console train = Console.start("train", config.toString());
    String to = "tcp://127.0.0.1:" + train.port();

    for (List<String> options : List.of(List.<String>of(), List.of("--token-file", "" + wrong))) {
      Console refused = feed(to, options);
      assertThat(refused.exit()).isEqualTo(ExitCode.FAILED);
      assertThat(refused.err()).contains("refused: error token").doesNotContain("hunter2");
    }
    assertThat(feed(to, List.of("--token-file", "no/such")).exit()).isEqualTo(ExitCode.USAGE);
    feed(to, List.of("--token-file", "" + token)).outAfter(ExitCode.OK);

    assertThat(train.outAfter(ExitCode.OK)).contains("Trained on 500 rows");
    assertThat(train.err()).doesNotContain("hunter2");
  }

  private static Console feed(String to, List<String> options) {
    return Console.start(
        Stream.concat(Stream.of("feed", "sea", "--records", "500", "--to", to), options.stream())
            .toArray(String[]::new));
  }
}
