package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A command of the real command line, at work on a thread of its own. */
final class Console {
  private static final Pattern GREETING = Pattern.compile("training from tcp://[^ ]+:(\\d+) ");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final CompletableFuture<Integer> port = new CompletableFuture<>();
  private final ByteArrayOutputStream err =
      new ByteArrayOutputStream() {
        @Override
        public synchronized void write(byte[] bytes, int from, int length) {
          super.write(bytes, from, length);
          Matcher greeting = GREETING.matcher(toString(StandardCharsets.UTF_8));
          if (greeting.find()) {
            port.complete(Integer.valueOf(greeting.group(1)));
          }
        }
      };
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();

  private Console() {}

  /** Starts {@code penstock ARGS}. */
  static Console start(String... args) {
    Console console = new Console();
    Terminal terminal =
        new Terminal(
            new PrintStream(console.out, true, StandardCharsets.UTF_8),
            new PrintStream(console.err, true, StandardCharsets.UTF_8),
            0,
            System::nanoTime);
    Thread.ofPlatform()
        .name("console")
        .start(
            () -> {
              int code = Penstock.run(new Wiring(), terminal, args);
              console.exit.complete(code);
              console.port.completeExceptionally(
                  new IllegalStateException("ended with " + code + ": " + console.err()));
            });
    return console;
  }

  /** Starts {@code penstock train FILE --report REPORT}. */
  static Console train(Path config, Path report) {
    return start("train", config.toString(), "--report", report.toString());
  }

  /** Waits for the greeting, and takes the port from it. */
  int port() throws ExecutionException, InterruptedException, TimeoutException {
    return port.get(Runs.LONG.toSeconds(), TimeUnit.SECONDS);
  }

  /** Waits for the end: the exit code. */
  int exit() throws ExecutionException, InterruptedException, TimeoutException {
    return exit.get(Runs.LONG.toSeconds(), TimeUnit.SECONDS);
  }

  /** What was printed, when the command has ended as it should. */
  String outAfter(int code) throws ExecutionException, InterruptedException, TimeoutException {
    assertThat(exit()).as("exit code; it said: %s", err()).isEqualTo(code);
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
