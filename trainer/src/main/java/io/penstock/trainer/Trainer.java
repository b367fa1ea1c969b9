package io.penstock.trainer;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.penstock.pipeline.Barrier;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.pipeline.Stateful;
import io.penstock.trainer.TrainerStatus.Quantiles;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

/**
 * The device side of the ring. Each duty cycle takes the results of steps that have ended, freeing their slots in order, and
 * submits published slots while the device takes them. A barrier waits until all steps before it have ended; then the state of
 * trainer and device is that of the cut.
 *
 * <p>One thread runs {@link #doWork}. Any thread may call {@link #requestStop}, {@link #endOfStream}, {@link #isDone} and {@link
 * #status}.
 */
public final class Trainer implements Agent, Stateful {
  /** The tally of trained rows in a cut, see {@link RowTally#restore}. */
  public static final String TRAINED = "ledger.trained";

  /** The tally of rows whose step was not applied, and which the run did not go back for. */
  public static final String SKIPPED = "ledger.skipped";

  /** The tally of rows whose steps were undone, and which could not be had again. */
  public static final String LOST = "ledger.lost";

  private static final ValueLayout.OfLong LONG =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SlotRing ring;
  private final DeviceSession session;
  private final StageMeter meter;
  private final NanoClock clock;
  private final EpochNanoClock wallClock;

  private final StepResult result = new StepResult();
  private final RowTally trained = new RowTally();
  private final RowTally skipped = new RowTally();
  private final RowTally lost = new RowTally();
  private final Histogram stepNanos = new Histogram();
  private final Histogram freshnessNanos = new Histogram();
  private final TrainingState training;
  private final SnapshotMemory snapshots;
  private @Nullable DelayedEvaluation evaluation;
  private PoisonGuard guard = new PoisonGuard(0, 0, () -> false);
  private SkippedRows skippedRows = SkippedRows.NONE;
  private @Nullable Consumer<Poison> onPoison;
  private final long[] submittedAt;
  private final int mask;
  private double loss = Double.NaN;

  /** Next sequence to submit. */
  private long next;

  /** Next sequence to evaluate, where evaluation is delayed. */
  private long nextToScore;

  /** Next sequence to free. */
  private long oldest;

  /** When the last duty cycle ended, and whether the stage had work then. */
  private long cycleEnd;

  private boolean waitedForWork;
  private boolean begun;

  /** The barrier whose snapshot is being copied. */
  private @Nullable Barrier saving;

  private volatile boolean stopRequested;
  private volatile boolean ended;
  private volatile boolean statusWanted;
  private volatile boolean done;
  private volatile TrainerStatus status;
  private volatile long snapshotNanos;
  private volatile long rowsTrained;

  /**
   * Makes a trainer that is the ring's only consumer.
   *
   * @param clock for durations
   * @param wallClock for freshness: nanoseconds since 1970, as event times are
   */
  public Trainer(
      SlotRing ring,
      DeviceSession session,
      StageMeter meter,
      NanoClock clock,
      EpochNanoClock wallClock) {
    if (!ring.layout().equals(session.program().layout())) {
      throw new IllegalArgumentException(
          "trainer: the ring's slots are %s, the program's %s"
              .formatted(ring.layout(), session.program().layout()));
    }
    this.ring = ring;
    this.session = session;
    this.meter = meter;
    this.clock = clock;
    this.wallClock = wallClock;
    training = new TrainingState(session.program().metrics());
    snapshots = new SnapshotMemory(session::snapshotMemory);
    submittedAt = new long[ring.capacitySlots()];
    mask = submittedAt.length - 1;
    next = ring.released() + 1;
    nextToScore = next;
    oldest = next;
    status = currentStatus();
  }

  /**
   * Has rows evaluated as if their labels came late. Costs: one step at a time, a copy of the weights and a forward pass on this
   * thread for each. Before the first cycle and {@link #restore}.
   *
   * @param delayed of the same session; stays its owner's
   */
  public void evaluate(DelayedEvaluation delayed) {
    evaluation = delayed;
    status = currentStatus();
  }

  /**
   * Has the steps' ends watched: the trainer stops where {@link #poison} tells that it must not go on. Before the first cycle and
   * {@link #restore}.
   *
   * @param after steps in a row that were not applied, upon which it stops; 0: never
   * @param learningRate as configured
   * @param canGoBack whether there is a checkpoint to go back to
   * @param skippedTo is told of the minibatches that were not applied
   */
  public void guard(
      int after, double learningRate, BooleanSupplier canGoBack, SkippedRows skippedTo) {
    guard = new PoisonGuard(after, learningRate, canGoBack);
    skippedRows = skippedTo;
  }

  /**
   * What is left of the learning rate in a run that goes on from {@code cut}: rollbacks may have made it smaller.
   *
   * @param configured the learning rate; where that of the cut was another one, all of it is left
   */
  public static double learningRateFactor(State cut, double configured) {
    return PoisonGuard.learningRateFactor(cut, configured);
  }

  /**
   * Lets the trainer go on where it would stop (after {@link #guard}), for a source that cannot send again: it goes back when a barrier brings it an
   * earlier state ({@link Barrier#back}).
   *
   * @param onPoison is told why it should, on the device thread
   */
  public void goOn(Consumer<Poison> onPoison) {
    this.onPoison = onPoison;
    guard.goOn();
  }

  /** Why the trainer has stopped by itself: the rows that the run must do without; null where it has not. On its own thread. */
  public @Nullable Poison poison() {
    return guard.poison();
  }

  @Override
  public String roleName() {
    return "device";
  }

  @Override
  public int doWork() {
    long start = clock.nanoTime();
    account(start);
    int work = completeSaved() + takeResults() + submit();
    if (onPoison != null) {
      guard.tell(onPoison);
    }
    boolean nothingLeft = nothingLeft();
    if (statusWanted || nothingLeft != done) {
      statusWanted = false;
      status = currentStatus();
      done = nothingLeft;
    }
    long end = clock.nanoTime();
    meter.busy(end - start);
    cycleEnd = end;
    waitedForWork = work == 0 && inFlight() == 0;
    begun = true;
    return work;
  }

  /** The time between two cycles: waiting for the assembler, or for the device. */
  private void account(long now) {
    if (!begun) {
      return;
    }
    if (waitedForWork) {
      meter.starved(now - cycleEnd);
    } else {
      meter.busy(now - cycleEnd);
    }
  }

  private int submit() {
    int work = 0;
    long published = ring.published();
    while (next <= published && !stops()) {
      Slot slot = ring.get(next);
      Barrier barrier = slot.barrier();
      if (barrier != null) {
        if (inFlight() > 0 || saving != null) {
          break;
        }
        pass(barrier);
      } else {
        if (!score(slot)) {
          break;
        }
        submittedAt[(int) next & mask] = clock.nanoTime();
        if (!session.trySubmit(slot)) {
          break;
        }
        next++;
      }
      work += 1 + takeResults();
    }
    return work;
  }

  /**
   * Evaluates a minibatch before its step, where that is not the step's own business: the device may do with the slot what it likes.
   *
   * @return false where it must wait for the step before
   */
  private boolean score(Slot slot) {
    if (evaluation == null) {
      return true;
    }
    if (inFlight() > 0) {
      return false;
    }
    if (nextToScore == next) {
      evaluation.score(slot);
      nextToScore++;
    }
    return true;
  }

  private void pass(Barrier barrier) {
    State back = barrier.back();
    try {
      if (back == null) {
        saveInOneCopy(barrier.state());
        saving = barrier;
      } else {
        goBack(back);
        barrier.complete();
      }
    } catch (RuntimeException e) {
      barrier.abandon(e);
      throw e;
    }
    next++;
    nextToScore = next;
    oldest = next;
    ring.release(next - 1);
    completeSaved();
  }

  /** Takes over the weights of a cut; what was trained on since is lost. */
  private void goBack(State cut) {
    lost.add(trained);
    trained.restore(cut, TRAINED);
    lost.remove(trained);
    rowsTrained = trained.rows();
    guard.restore(cut);
    session.restore(cut);
    if (evaluation != null) {
      evaluation.restore(cut);
    }
  }

  /** A barrier is complete when its snapshot is whole, which may be some steps later. */
  private int completeSaved() {
    Barrier barrier = saving;
    if (barrier == null || !session.isSnapshotWhole()) {
      return 0;
    }
    saving = null;
    barrier.complete();
    return 1;
  }

  private int takeResults() {
    int taken = 0;
    while (session.poll(result)) {
      Slot slot = ring.get(oldest);
      stepNanos.add(clock.nanoTime() - submittedAt[(int) oldest & mask], 1);
      loss = result.loss();
      count(slot);
      if (evaluation != null) {
        evaluation.ended(slot.validRows());
      }
      ring.release(oldest);
      oldest++;
      taken++;
    }
    return taken;
  }

  private void count(Slot slot) {
    SlotLayout layout = slot.layout();
    MemorySegment memory = slot.memory();
    boolean applied = result.status() == Status.APPLIED;
    RowTally tally = applied ? trained : skipped;
    long now = wallClock.nanoTime();
    int rows = slot.validRows();
    long partitions = layout.partitionOffset();
    long numbers = layout.rowOffset();
    long times = layout.timeOffset();
    for (int row = 0; row < rows; row++) {
      long at = (long) row * Long.BYTES;
      tally.add(memory.get(LONG, partitions + at), memory.get(LONG, numbers + at));
    }
    rowsTrained = trained.rows();
    guard.ended(slot, result.status());
    if (!applied) {
      skippedRows.skipped(slot, result);
    }
    countFreshness(memory, times, rows, now);
    meter.passed(rows, layout.deviceBytes());
  }

  /** Rows of a minibatch often came at one time: runs are counted at once. */
  private void countFreshness(MemorySegment memory, long times, int rows, long now) {
    int row = 0;
    while (row < rows) {
      long time = memory.get(LONG, times + (long) row * Long.BYTES);
      int from = row++;
      while (row < rows && memory.get(LONG, times + (long) row * Long.BYTES) == time) {
        row++;
      }
      freshnessNanos.add(now - time, row - from);
    }
  }

  private long inFlight() {
    return next - oldest;
  }

  /** Lets the steps in flight end, and submits nothing more. */
  public void requestStop() {
    stopRequested = true;
  }

  /** Says that nothing will be published any more. Call after the last publish. */
  public void endOfStream() {
    ended = true;
  }

  /**
   * Whether nothing is left to do, as the last duty cycle saw it: after {@link #endOfStream}, all slots are free again; after a
   * stop, or with {@link #poison}, no step is in flight.
   */
  public boolean isDone() {
    return done;
  }

  private boolean nothingLeft() {
    return saving == null && allStepsEnded();
  }

  private boolean stops() {
    return stopRequested || (onPoison == null && guard.poison() != null);
  }

  private boolean allStepsEnded() {
    return stops()
        ? inFlight() == 0
        // In this order: what was published before the end was said must be seen.
        : ended && ring.released() == ring.published();
  }

  /** The newest published status; asks for a newer one, which the device thread publishes in its next duty cycle. */
  public TrainerStatus status() {
    statusWanted = true;
    return status;
  }

  private TrainerStatus currentStatus() {
    session.read(training);
    return new TrainerStatus(
        training.stepsApplied(),
        training.stepsSkipped(),
        trained.rows(),
        trained.hash(),
        skipped.rows(),
        skipped.hash(),
        lost.rows(),
        lost.hash(),
        guard.skippedInARow(),
        guard.rollbacks(),
        guard.learningRateFactor(),
        loss,
        evaluation == null ? training.evaluation() : evaluation.evaluation(),
        Quantiles.of(stepNanos),
        Quantiles.of(freshnessNanos));
  }

  private void saveInOneCopy(State state) {
    long began = clock.nanoTime();
    saveCounts(state);
    session.snapshot(state, snapshots.takenBy(state));
    snapshotNanos = clock.nanoTime() - began;
  }

  private void saveCounts(State state) {
    trained.save(state, TRAINED);
    skipped.save(state, SKIPPED);
    lost.save(state, LOST);
    guard.save(state);
    if (evaluation != null) {
      evaluation.save(state);
    }
  }

  /** Rows trained on so far, for whoever looks often: unlike {@link #status}, it costs the device thread nothing. */
  public long rowsTrained() {
    return rowsTrained;
  }

  /** How long the last barrier held up the device thread, in nanoseconds; 0 before the first. */
  public long snapshotNanos() {
    return snapshotNanos;
  }

  /** Writes trainer and device state; no step may be in flight. */
  @Override
  public void save(State state) {
    saveCounts(state);
    session.save(state);
  }

  @Override
  public void restore(State state) {
    trained.restore(state, TRAINED);
    skipped.restore(state, SKIPPED);
    lost.restore(state, LOST);
    guard.restore(state);
    rowsTrained = trained.rows();
    session.restore(state);
    if (evaluation != null) {
      evaluation.restore(state);
    }
    status = currentStatus();
  }

  /** Waits for steps in flight, frees their slots and publishes the last status. The session stays open: it has the weights. */
  @Override
  public void onClose() {
    requestStop();
    while (inFlight() > 0 || saving != null) {
      takeResults();
      completeSaved();
      Thread.onSpinWait();
    }
    status = currentStatus();
  }
}
