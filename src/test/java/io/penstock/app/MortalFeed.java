package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@code penstock feed} in processes that are killed after a time and started again, until one of them has been told that all is
 * durable: none follows that, so a run to which rows are still missing then waits in vain.
 */
final class MortalFeed implements AutoCloseable {
  private final Workload.Feed feed;
  private final Path said;
  private final LongSupplier lifetimesNanos;
  private final AtomicInteger deaths;
  private final Thread thread = new Thread(this::work, "mortal-feed");
  private volatile @Nullable Throwable failure;

  /**
   * Starts the first process.
   *
   * @param said where the error streams go, one behind the other
   * @param lifetimesNanos how long each may live; asked on a thread of its own
   * @param deaths is counted up
   */
  MortalFeed(Workload.Feed feed, Path said, LongSupplier lifetimesNanos, AtomicInteger deaths) {
    this.feed = feed;
    this.said = said;
    this.lifetimesNanos = lifetimesNanos;
    this.deaths = deaths;
    thread.start();
  }

  private void work() {
    try {
      while (!liveAndDie()) {
        deaths.incrementAndGet();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed: there is nobody to send to any more
    } catch (IOException | RuntimeException | AssertionError e) {
      failure = e;
    }
  }

  /** One process; whether it has sent all. */
  private boolean liveAndDie() throws IOException, InterruptedException {
    Process process = start();
    try {
      if (!process.waitFor(lifetimesNanos.getAsLong(), TimeUnit.NANOSECONDS)) {
        return false;
      }
      assertThat(process.exitValue()).as("the feed's exit: %s", said()).isZero();
      return true;
    } finally {
      process.destroyForcibly();
      process.onExit().join(); // whoever follows under its name must not meet it
    }
  }

  private Process start() throws IOException {
    return ChildJvm.builder(
            Penstock.class,
            List.of("-ea", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            "feed",
            feed.file().toString(),
            "--to",
            "tcp://127.0.0.1:" + feed.port(),
            "--producer",
            "mortal",
            "--until-durable",
            "--reconnect-within",
            Long.toString(Runs.LONG.toSeconds()))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.appendTo(said.toFile()))
        .start();
  }

  private String said() throws IOException {
    return Files.readString(said);
  }

  /** Kills the process that there is; the run it sent to has ended. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    assertThat(failure).as("what went wrong with the feed").isNull();
  }
}
