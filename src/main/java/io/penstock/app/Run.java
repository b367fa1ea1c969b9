package io.penstock.app;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * A run, from its sources to its weights, as the application around it sees it. All methods may be called from any thread.
 */
interface Run extends AutoCloseable {

  /**
   * Opens the sources and begins to train; returns at once.
   *
   * @throws StartException where that is not possible: a port in use, a file that cannot be read
   */
  void start();

  /** What the run has done so far; still answered after its end and after {@link #close}. */
  RunSnapshot snapshot();

  /** Asks the run to end after the step in flight; returns at once. */
  void stop();

  /** Asks the run to end as {@link #stop} does, but as failed: the snapshot then tells why. The first reason stands. */
  void fail(String reason);

  /** Makes a checkpoint now; fails where none is configured, the run has ended, or it cannot be written. */
  CompletableFuture<Checkpoints.Made> checkpoint();

  /** What the run has learnt so far, for whoever asks it. */
  LiveModel model();

  /** Waits for the end, however it comes; false where the time was up first. */
  boolean awaitEnd(Duration timeout) throws InterruptedException;

  /** Ends the run where it has not ended, and frees what it holds. */
  @Override
  void close();
}
