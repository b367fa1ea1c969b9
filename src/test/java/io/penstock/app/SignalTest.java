package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The real process, trained over a socket at full speed, and the signals that end it. */
class SignalTest {
  private static final Pattern GREETING =
      Pattern.compile("training from tcp://[^ ]+:(\\d+) .*; meters at (\\S+)");
  private static final Pattern TRAINED =
      Pattern.compile("^penstock_trained_rows_total (\\S+)$", Pattern.MULTILINE);

  private final HttpClient http = HttpClient.newHttpClient();

  private @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void shouldReportAndExitWhenSignalledInMidRun(String signal, int code) throws Exception {
    JsonNode report = signalled(Penstock.class, 1, signal, code);

    assertThat(report.get("records").asLong()).isPositive();
    assertThat(report.get("weightsSha256").asString()).hasSize(64);
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void shouldReportWhatWasNotTrainedAndExitThoughTheTrainerCrawls(String signal, int code)
      throws Exception {
    JsonNode report = signalled(CrawlingRun.class, 3 * 256, signal, code);

    assertThat(report.get("records").asLong()).isEqualTo(3 * 256);
    assertThat(report.get("notTrained").asLong()).isPositive();
    assertThat(report.get("weightsSha256").asString()).hasSize(64);
  }

  private JsonNode signalled(Class<?> main, long trained, String signal, int code)
      throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("run.yaml"),
            "source: { tcp: { port: 0 } }%n%shttp: { port: 0 }%n".formatted(TestCsv.LEARNING));
    Path report = folder.resolve("report.json");
    Process process =
        ChildJvm.builder(main, List.of(), "train", config.toString(), "--report", report.toString())
            .start();
    try {
      Matcher greeting = greeting(process.errorReader(UTF_8));
      Thread sender = sender(Integer.parseInt(greeting.group(1)));
      URI meters = URI.create(greeting.group(2));
      Runs.await(() -> rowsTrained(meters) >= trained, "%s trains", main);

      long signalled = System.nanoTime();
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertThat(process.waitFor(Runs.LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
      System.out.printf(
          "%s: exit %.2f s after SIG%s%n",
          main.getSimpleName(), (System.nanoTime() - signalled) / 1e9, signal);

      sender.join();
      assertThat(process.exitValue()).isEqualTo(code);
      assertThat(process.inputReader(UTF_8).readAllAsString())
          .contains("Trained on ")
          .contains("weights      sha256 ");
      return JsonMapper.shared().readTree(Files.readString(report));
    } finally {
      process.destroyForcibly();
    }
  }

  private static Matcher greeting(BufferedReader err) throws IOException {
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      Matcher greeting = GREETING.matcher(line);
      if (greeting.find()) {
        return greeting;
      }
    }
    throw new IOException("the run has not begun");
  }

  private double rowsTrained(URI meters) {
    try {
      String text =
          http.send(HttpRequest.newBuilder(meters).build(), HttpResponse.BodyHandlers.ofString())
              .body();
      Matcher rows = TRAINED.matcher(text);
      assertThat(rows.find()).as("rows trained are among the meters").isTrue();
      return Double.parseDouble(rows.group(1));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sends rows without end, until the other side closes. */
  private static Thread sender(int port) throws IOException {
    byte[] rows = TestCsv.rows(1, 2000).substring(TestCsv.HEADER.length()).getBytes(UTF_8);
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    return Thread.ofPlatform()
        .start(
            () -> {
              try (socket;
                  OutputStream out = socket.getOutputStream()) {
                out.write(TestCsv.HEADER.getBytes(UTF_8));
                while (!socket.isClosed()) {
                  out.write(rows);
                }
              } catch (IOException closed) {
                assertThat(closed).as("what ends this sender").isNotNull();
              }
            });
  }
}
