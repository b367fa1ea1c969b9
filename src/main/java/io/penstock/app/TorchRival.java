package io.penstock.app;

import io.penstock.app.GpuGrid.Point;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** PyTorch in a process of its own, which answers a line a question: {@code src/bench/rival_torch_steps.py}. */
final class TorchRival implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter questions;
  private final JsonNode greeting;

  private TorchRival(Process process) throws IOException {
    this.process = process;
    answers = process.inputReader();
    questions = process.outputWriter();
    greeting = answer();
  }

  /**
   * Starts it.
   *
   * @throws IOException where there is no Python, or it has no PyTorch, or that finds no GPU: saying which
   */
  static TorchRival start(String python, Path script, String... options) throws IOException {
    String[] command = new String[options.length + 2];
    command[0] = python;
    command[1] = script.toString();
    System.arraycopy(options, 0, command, 2, options.length);
    TorchRival rival =
        new TorchRival(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    JsonNode error = rival.greeting.get("error");
    if (error != null) {
      rival.close();
      throw new IOException(error.asString());
    }
    return rival;
  }

  /** Such as {@code torch 2.9.0 (compiled, CUDA graphs)}. */
  String peer() {
    return greeting.path("peer").asString("?");
  }

  /** The GPU it says it runs on. */
  String device() {
    return greeting.path("device").asString("?");
  }

  /**
   * Microseconds of a step.
   *
   * @throws IOException saying why there are none
   */
  double stepMicros(Point point, double seconds) throws IOException {
    questions.write(
        String.format(
            Locale.ROOT,
            "{\"dims\": %s, \"batch\": %d, \"precision\": \"%s\", \"seconds\": %.3f}%n",
            point.shape().dims(),
            point.shape().batch(),
            point.precision().name().toLowerCase(Locale.ROOT),
            seconds));
    questions.flush();
    JsonNode answer = answer();
    JsonNode micros = answer.get("stepMicros");
    if (micros == null) {
      throw new IOException(answer.path("error").asString("no answer"));
    }
    return micros.asDouble();
  }

  private JsonNode answer() throws IOException {
    @Nullable String line = answers.readLine();
    if (line == null) {
      throw new IOException("it ended; see the log (no PyTorch, as a rule)");
    }
    return JSON.readTree(line);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
