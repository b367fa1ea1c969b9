package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.ingest.netty.Feed;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;

/** Whole runs for tests: real configuration, real sockets, real files. */
final class Runs {
  static final Duration LONG = Duration.ofMinutes(3);

  private Runs() {}

  /** A file of ../shared/data; the test is skipped where that is absent. */
  static Path shared(String name) {
    Path file = Path.of(System.getProperty("penstock.shared", "../shared"), "data", name);
    Assumptions.assumeTrue(Files.exists(file), "the shared data sets are not here: " + file);
    return file;
  }

  /** A run that is not started. */
  static Run of(String yaml, Rejected rejections, long maxRecords, String... sets) {
    Config config = Config.parse(yaml, sets);
    return new Wiring().run(config, new RunOptions(maxRecords, Beginning.FRESH, rejections));
  }

  /** Runs to the end. */
  static RunSnapshot train(String yaml, String... sets) {
    try (Run run = of(yaml, new Rejected(), 0, sets)) {
      run.start();
      return end(run);
    }
  }

  /** Runs to the end, fed with a file over TCP; the configuration's source is tcp with port 0. */
  static RunSnapshot trainOverTcp(Path file, String yaml, Rejected rejections, String... sets) {
    try (Run run = of(yaml, rejections, 0, sets)) {
      run.start();
      Feed.to("127.0.0.1", port(run)).file(file, true).block(LONG);
      return end(run);
    }
  }

  static RunSnapshot end(Run run) {
    try {
      assertThat(run.awaitEnd(LONG)).as("the run has ended: %s", run.snapshot()).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    // A source that is cut off gives its own block back on its own thread.
    await(() -> run.snapshot().memory().poolHeldBytes() == 0, "blocks leaked");
    return run.snapshot();
  }

  /** Waits for what other threads bring about. */
  static void await(BooleanSupplier condition, String unmet, Object... args) {
    long until = System.nanoTime() + LONG.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > until) {
        fail(unmet, args);
      }
      LockSupport.parkNanos(50_000);
    }
  }

  static int port(Run run) {
    String address = run.snapshot().source();
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  /** Lines of a plain or gzipped file. */
  static List<String> lines(Path file) {
    try (InputStream in = Files.newInputStream(file);
        BufferedReader reader =
            new BufferedReader(
                new InputStreamReader(
                    file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in,
                    StandardCharsets.UTF_8))) {
      return reader.lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
