package io.penstock.app;

import io.penstock.trainer.model.Metrics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run as it is at one moment. A number that does not apply or is not known yet is {@link Double#NaN}.
 *
 * @param state where the run stands
 * @param source where rows come from, as an address to send to ({@code tcp://127.0.0.1:9000}) or a name
 * @param device where steps run
 * @param seconds from the start to now or to the end
 * @param batches minibatches trained
 * @param loss mean over the recent minibatches
 * @param cumulative test-then-train metrics of all rows
 * @param window the same, fading
 * @param labelDelay rows that labels are taken to come late for them
 * @param stepMicros time of a step
 * @param freshnessMillis from a row's event time to the end of the step that trained on it
 * @param stages in the order of the stream
 * @param failure why the run ends or ended, where it failed; never null in {@link Phase#FAILED}
 */
record RunSnapshot(
    Phase state,
    String source,
    String device,
    double seconds,
    Rows rows,
    long batches,
    double loss,
    Metrics cumulative,
    Metrics window,
    int labelDelay,
    Percentiles stepMicros,
    Percentiles freshnessMillis,
    List<Stage> stages,
    Memory memory,
    Copy copy,
    Outcome outcome,
    Setbacks setbacks,
    Saved saved,
    Refused refused,
    @Nullable String failure) {

  RunSnapshot {
    stages = List.copyOf(stages);
    if (state == Phase.FAILED && failure == null) {
      throw new IllegalArgumentException("run snapshot: a failed run must say why");
    }
  }

  /** Where a run stands. */
  enum Phase {
    STARTING,
    RUNNING,
    /** Asked to end; the step in flight is finished. */
    STOPPING,
    ENDED,
    FAILED;

    boolean isEnd() {
      return this == ENDED || this == FAILED;
    }
  }

  /**
   * What became of rows.
   *
   * @param received rows that came, rejected ones counted in
   * @param trained rows whose step was applied
   * @param skipped rows whose step was not applied: its loss or gradient was not finite, or its loss a spike
   * @param leftOut rows that the run does without since it went back to a checkpoint before them
   * @param lost rows whose training was undone, and which could not be had again
   * @param notTrained rows received that the run ended before
   */
  record Rows(
      long received,
      long trained,
      long rejected,
      long skipped,
      long leftOut,
      long lost,
      long notTrained) {}

  /**
   * How much trouble there was with numbers.
   *
   * @param skippedInARow minibatches since the last that was trained on
   * @param rollbacks how often the run has gone back to a checkpoint
   * @param learningRateFactor what is left of the configured learning rate
   */
  record Setbacks(int skippedInARow, long rollbacks, double learningRateFactor) {
    static final Setbacks NONE = new Setbacks(0, 0, 1);
  }

  record Percentiles(double p50, double p99) {
    static final Percentiles NONE = new Percentiles(Double.NaN, Double.NaN);
  }

  /**
   * What a stage did with its time since the start.
   *
   * @param name as in its {@link io.penstock.pipeline.StageMeter}
   * @param threads that work on it at most
   */
  record Stage(
      String name,
      int threads,
      long busyNanos,
      long blockedNanos,
      long starvedNanos,
      long rows,
      long bytes) {

    double busyShare(double seconds) {
      return share(busyNanos, seconds);
    }

    double blockedShare(double seconds) {
      return share(blockedNanos, seconds);
    }

    private double share(long nanos, double seconds) {
      return seconds <= 0 ? 0 : Math.clamp(nanos / (seconds * 1e9 * threads), 0, 1);
    }
  }

  /**
   * Memory on the way.
   *
   * @param ringFill slots published or being read
   * @param poolHeldBytes blocks that somebody owns
   * @param inFlightBytes bytes received but not trained on
   * @param allocatedBytesPerRecord heap of all threads since the end of warm-up
   */
  record Memory(
      int ringFill,
      int ringCapacity,
      long poolHeldBytes,
      long poolCapacityBytes,
      long inFlightBytes,
      double allocatedBytesPerRecord) {}

  /**
   * Copies to the device.
   *
   * @param overlap share of their time hidden behind computing
   */
  record Copy(long bytes, double overlap) {
    static final Copy NONE = new Copy(0, Double.NaN);
  }

  /**
   * What is left behind.
   *
   * @param weightsSha256 of the weights; empty until the end
   */
  record Outcome(List<LedgerEntry> ledger, String weightsSha256) {
    static final Outcome NONE = new Outcome(List.of(), "");

    Outcome {
      ledger = List.copyOf(ledger);
    }
  }

  /**
   * What of the run is safe on disk.
   *
   * @param resumedRows rows that the run had been trained on when it went on from a checkpoint
   * @param written checkpoints written by this process
   * @param failed attempts that failed
   * @param file the newest that was written; null: none yet
   * @param rows trained on before that
   * @param bytes of that
   * @param seconds that its writing took
   * @param pauseMillis that training stood still for it
   * @param ageSeconds since it was cut
   * @param failure why the latest attempt failed; null where it did not
   */
  record Saved(
      long resumedRows,
      long written,
      long failed,
      @Nullable String file,
      long rows,
      long bytes,
      double seconds,
      double pauseMillis,
      double ageSeconds,
      @Nullable String failure) {
    static final Saved NONE =
        new Saved(0, 0, 0, null, 0, 0, Double.NaN, Double.NaN, Double.NaN, null);
  }

  /**
   * Connections that a listener has closed by itself.
   *
   * @param tooMany that came when {@code maxConnections} were open
   * @param idle that sent nothing for {@code idleTimeout}
   * @param unauthorized that gave no token, or a wrong one
   */
  record Refused(long tooMany, long idle, long unauthorized) {
    static final Refused NONE = new Refused(0, 0, 0);
  }

  /**
   * One line of the ledger.
   *
   * @param what became of the rows: trained, skipped, rejected, leftOut, lost
   * @param hash order-independent sum of hashes over the rows' positions, in hexadecimal
   */
  record LedgerEntry(String what, long rows, String hash) {}

  /** The same, failed for a reason that only the end shows. */
  RunSnapshot failed(String reason) {
    return new RunSnapshot(
        Phase.FAILED,
        source,
        device,
        seconds,
        rows,
        batches,
        loss,
        cumulative,
        window,
        labelDelay,
        stepMicros,
        freshnessMillis,
        stages,
        memory,
        copy,
        outcome,
        setbacks,
        saved,
        refused,
        reason);
  }

  double rowsPerSecond() {
    return seconds <= 0 ? 0 : (rows.trained() - saved.resumedRows()) / seconds;
  }
}
