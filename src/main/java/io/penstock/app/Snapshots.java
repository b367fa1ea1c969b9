package io.penstock.app;

import io.penstock.app.RunSnapshot.Memory;
import io.penstock.app.RunSnapshot.Outcome;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.RunSnapshot.Rows;
import io.penstock.app.RunSnapshot.Stage;
import io.penstock.app.TrainingPipeline.Progress;
import io.penstock.trainer.TrainerStatus;
import io.penstock.trainer.model.Metrics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Snapshots of a run: what the run itself knows, and how far its pipeline is. */
final class Snapshots {
  private Snapshots() {}

  /**
   * What a run knows without its pipeline.
   *
   * @param received rows decoded, by this process and by those before that it goes on from
   * @param rejected rows that could not be
   * @param labelDelay rows that labels are taken to come late
   */
  record Facts(
      Phase phase,
      String source,
      String device,
      double seconds,
      long received,
      RunSnapshot.LedgerEntry rejected,
      int labelDelay,
      List<Stage> stages,
      RunSnapshot.Saved saved,
      RunSnapshot.Refused refused,
      @Nullable String failure) {}

  /** Before the schema is known: no row has come. */
  static RunSnapshot of(Facts run) {
    return new RunSnapshot(
        run.phase,
        run.source,
        run.device,
        run.seconds,
        new Rows(0, 0, 0, 0, 0, 0, 0),
        0,
        Double.NaN,
        Metrics.NONE,
        Metrics.NONE,
        run.labelDelay,
        Percentiles.NONE,
        Percentiles.NONE,
        run.stages,
        new Memory(0, 0, 0, 0, 0, Double.NaN),
        RunSnapshot.Copy.NONE,
        Outcome.NONE,
        RunSnapshot.Setbacks.NONE,
        run.saved,
        run.refused,
        run.failure);
  }

  /**
   * A run whose pipeline is there.
   *
   * @param allocatedPerRow heap bytes of all threads for each row trained
   * @param deviceBytes copied to the device
   */
  static RunSnapshot of(Facts run, Progress progress, double allocatedPerRow, long deviceBytes) {
    TrainerStatus status = progress.trainer();
    RunSnapshot.LedgerEntry leftOut = progress.leftOut();
    long all = run.received + run.rejected.rows();
    return new RunSnapshot(
        run.phase,
        run.source,
        run.device,
        run.seconds,
        new Rows(
            all,
            status.rowsTrained(),
            run.rejected.rows(),
            status.rowsSkipped(),
            leftOut.rows(),
            status.rowsLost(),
            Math.max(
                0,
                run.received
                    - status.rowsTrained()
                    - status.rowsSkipped()
                    - leftOut.rows()
                    - status.rowsLost())),
        status.stepsApplied() + status.stepsSkipped(),
        status.loss(),
        status.evaluation().cumulative(),
        status.evaluation().windowed(),
        run.labelDelay,
        percentiles(status.stepNanos(), 1e3),
        percentiles(status.freshnessNanos(), 1e6),
        run.stages,
        memory(progress, allocatedPerRow),
        new RunSnapshot.Copy(deviceBytes, Double.NaN),
        outcome(status, run.rejected, leftOut, progress.weightsSha256()),
        new RunSnapshot.Setbacks(
            status.skippedInARow(), status.rollbacks(), status.learningRateFactor()),
        run.saved,
        run.refused,
        run.failure);
  }

  private static Percentiles percentiles(TrainerStatus.Quantiles nanos, double unit) {
    return new Percentiles(nanos.p50() / unit, nanos.p99() / unit);
  }

  private static Memory memory(Progress progress, double allocatedPerRow) {
    return new Memory(
        progress.ringFill(),
        progress.ringCapacity(),
        progress.poolHeldBytes(),
        progress.poolCapacityBytes(),
        progress.poolHeldBytes() + progress.ringFill() * progress.slotBytes(),
        allocatedPerRow);
  }

  private static Outcome outcome(
      TrainerStatus status,
      RunSnapshot.LedgerEntry rejected,
      RunSnapshot.LedgerEntry leftOut,
      String weightsSha256) {
    return new Outcome(
        List.of(
            new RunSnapshot.LedgerEntry("trained", status.rowsTrained(), status.trainedHash()),
            new RunSnapshot.LedgerEntry("skipped", status.rowsSkipped(), status.skippedHash()),
            rejected,
            leftOut,
            new RunSnapshot.LedgerEntry("lost", status.rowsLost(), status.lostHash())),
        weightsSha256);
  }
}
