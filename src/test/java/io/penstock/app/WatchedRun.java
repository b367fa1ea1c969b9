package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code penstock train} in a process of its own, as its operator sees it: its log, its meters, its health. */
final class WatchedRun implements AutoCloseable {
  private static final Pattern GREETING = Pattern.compile("meters at (http://\\S+)/metrics");

  private final Path said;
  private final Process process;
  private final HttpClient http = HttpClient.newHttpClient();
  private final String address;

  /**
   * Starts it, and waits until it trains.
   *
   * @param launcher words of a command that runs the shell; may be none
   * @param shell commands of bash that come before it; may be empty
   * @param said where its error stream goes
   * @param config with {@code http: { port: 0 }}
   */
  WatchedRun(List<String> launcher, String shell, Path said, Path config) throws IOException {
    this.said = said;
    ProcessBuilder builder =
        ChildJvm.builder(
            Penstock.class,
            List.of("-ea", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
            "train",
            config.toString());
    builder.command().addAll(0, List.of("bash", "-c", shell + "\nexec \"$@\"", "bash"));
    builder.command().addAll(0, launcher);
    process =
        builder
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(said.toFile())
            .start();
    address = awaitGreeting();
  }

  private String awaitGreeting() {
    Runs.await(
        () -> !process.isAlive() || GREETING.matcher(said()).find(), "the run begins: %s", said);
    Matcher greeting = GREETING.matcher(said());
    assertThat(greeting.find()).as("the run has begun: %s", said()).isTrue();
    return greeting.group(1);
  }

  long pid() {
    return process.pid();
  }

  /** Its log so far. */
  String said() {
    try {
      return Files.readString(said);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A meter by its name, as Prometheus reads it. */
  double meter(String name) {
    String page = get("/metrics").body();
    Matcher value = Pattern.compile("^" + name + " (\\S+)$", Pattern.MULTILINE).matcher(page);
    assertThat(value.find()).as("%s is among the meters: %s", name, page).isTrue();
    return Double.parseDouble(value.group(1));
  }

  /** What {@code /health} says; that the run is well. */
  JsonNode health() {
    HttpResponse<String> answer = get("/health");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return JsonMapper.shared().readTree(answer.body());
  }

  private HttpResponse<String> get(String path) {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create(address + path)).build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new IllegalStateException("the run answers: " + said(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Sends a signal and waits for the end; answers with the exit code. */
  int end(String signal) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(pid())).start().waitFor();
    assertThat(process.waitFor(Runs.LONG.toSeconds(), TimeUnit.SECONDS))
        .as("it ends: %s", said())
        .isTrue();
    return process.exitValue();
  }

  @Override
  public void close() {
    http.shutdownNow();
    process.destroyForcibly();
    process.onExit().join();
  }
}
