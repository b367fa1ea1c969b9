package io.penstock.trainer;

import io.penstock.pipeline.RowRange;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.State;
import io.penstock.pipeline.Stateful;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.LossSpikes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches how steps end: when too many in a row were not applied, it names the rows that the run must do without.
 *
 * <p>What spoilt the weights was applied, and so came before: the last minibatch that was is blamed, too. Where the trouble goes
 * on right behind the rows that were left out, there is more of the same, and the run waits for twice as many steps before it goes
 * back once more, or until they end; after {@link #PATIENCE} times more of those before are blamed after all. Where it is back after
 * some steps that went well, twice as many minibatches before are blamed, and the learning rate is halved: it may be too large. After
 * {@link #MOST_ATTEMPTS} it is no use, and the run goes on as it is. On the device thread.
 */
final class PoisonGuard implements Stateful {
  static final int MOST_ATTEMPTS = 10;

  /** Attempts after which more of the same is no longer believed in. */
  private static final int PATIENCE = 3;

  /** How many times as many steps as were lost must end before trouble counts as one at another place. */
  private static final int CALM = 10;

  private static final Logger LOG = LoggerFactory.getLogger(PoisonGuard.class);
  private static final String STEPS = "guard.steps";
  private static final String SKIPPED_IN_A_ROW = "guard.skippedInARow";
  private static final String ATTEMPTS = "guard.attempts";
  private static final String CALM_STEP = "guard.calmStep";
  private static final String ROLLBACKS = "guard.rollbacks";
  private static final String WENT_BACK_AT = "guard.wentBackAt";
  private static final String LEARNING_RATE = "guard.learningRate";
  private static final String RECENT = "guard.recent";
  private static final String SKIPPED = "guard.skipped";

  private final int after;
  private final double learningRate;
  private final BooleanSupplier canGoBack;
  private final RecentRows recent = new RecentRows();

  /** Rows of the minibatches in a row that were not applied. */
  private final List<RowRange> skipped = new ArrayList<>();

  private long steps;
  private int skippedInARow;
  private int attempts;
  private long calmStep;
  private long rollbacks;

  /** Steps that had ended before the rows that were left out last. */
  private long wentBackAt = -1;

  private double learningRateFactor = 1;
  private @Nullable Poison poison;
  private boolean told;

  /** Until the next step that is applied. */
  private boolean gaveUp;

  private boolean goesOn;

  /**
   * @param after steps in a row that were not applied; 0: the guard sleeps
   * @param learningRate as configured
   * @param canGoBack whether there is a checkpoint to go back to
   */
  PoisonGuard(int after, double learningRate, BooleanSupplier canGoBack) {
    this.after = after;
    this.learningRate = learningRate;
    this.canGoBack = canGoBack;
  }

  /** Takes note of a step's end. Weightless ones count for nothing. */
  void ended(Slot slot, Status status) {
    if (after == 0 || poison != null || status == Status.WEIGHTLESS) {
      return;
    }
    steps++;
    note(slot);
    if (status == Status.APPLIED) {
      if (skippedInARow > 0) {
        endOfRow();
      }
      recent.end();
    } else {
      skippedInARow++;
      if (!gaveUp) {
        skipped.addAll(recent.current());
        if (skippedInARow >= (isMoreOfTheSame() ? (long) after << attempts() : after)) {
          tooMany();
        }
      }
    }
  }

  private void note(Slot slot) {
    recent.begin();
    for (int row = 0; row < slot.validRows(); row++) {
      recent.add(slot.partition(row), slot.rowNumber(row));
    }
  }

  /** The operators have seen these rows, too: where they are the rest of what the run went back for, it must do without them. */
  private void endOfRow() {
    int tried = attempts();
    if (isMoreOfTheSame(steps - 1)
        && skippedInARow < LossSpikes.MOST_IN_A_ROW // from there on it is a lasting change
        && !gaveUp
        && tried < MOST_ATTEMPTS
        && canGoBack.getAsBoolean()) {
      poison = poison(0, steps - 1, tried, learningRateFactor);
    }
    skippedInARow = 0;
    skipped.clear();
    gaveUp = false;
  }

  private boolean isMoreOfTheSame() {
    return isMoreOfTheSame(steps);
  }

  /** Whether the steps that were not applied came right behind the rows that were left out. */
  private boolean isMoreOfTheSame(long end) {
    return end - skippedInARow == wentBackAt;
  }

  /** How often the run went back at about this place. */
  private int attempts() {
    return steps - skippedInARow > calmStep ? 0 : attempts;
  }

  private void tooMany() {
    int tried = attempts();
    if (tried == MOST_ATTEMPTS || !canGoBack.getAsBoolean()) {
      LOG.warn(
          "{} minibatches in a row were not trained on, and {}; the run goes on as it is",
          skippedInARow,
          tried == MOST_ATTEMPTS
              ? tried + " rollbacks were no help"
              : "there is no checkpoint to go back to (checkpoint.directory)");
      gaveUp = true;
      skipped.clear();
      return;
    }
    boolean more = tried < PATIENCE && isMoreOfTheSame();
    poison =
        poison(
            more ? 0 : Math.min(1 << tried, recent.size()),
            steps,
            tried,
            tried == 0 || isMoreOfTheSame() || goesOn
                ? learningRateFactor
                : learningRateFactor / 2);
  }

  /**
   * The minibatches that were not applied, and some before them.
   *
   * @param blamed how many were applied before them, and are blamed
   * @param end steps that had ended with the last of them
   */
  private Poison poison(int blamed, long end, int tried, double factor) {
    List<RowRange> rows = recent.last(blamed);
    rows.addAll(skipped);
    int lost = skippedInARow + blamed;
    return new Poison(
        rows, skippedInARow, end - lost, end + (long) CALM * lost, tried, rollbacks, factor);
  }

  /** The rows to do without; null where all is well. */
  @Nullable Poison poison() {
    return poison;
  }

  /** Nothing is put together anew after a rollback: the learning rate stays. */
  void goOn() {
    goesOn = true;
  }

  /** Tells it once. */
  void tell(Consumer<Poison> to) {
    Poison found = poison;
    if (found != null && !told) {
      told = true;
      to.accept(found);
    }
  }

  int skippedInARow() {
    return skippedInARow;
  }

  long rollbacks() {
    return rollbacks;
  }

  double learningRateFactor() {
    return learningRateFactor;
  }

  @Override
  public void save(State state) {
    state.put(STEPS, steps);
    state.put(SKIPPED_IN_A_ROW, skippedInARow);
    state.put(ATTEMPTS, attempts);
    state.put(CALM_STEP, calmStep);
    state.put(ROLLBACKS, rollbacks);
    state.put(WENT_BACK_AT, wentBackAt);
    state.put(LEARNING_RATE, learningRate, learningRateFactor);
    state.put(RECENT, recent.save());
    state.put(SKIPPED, RowRange.toLongs(skipped));
  }

  @Override
  public void restore(State state) {
    steps = steps(state);
    skippedInARow = (int) count(state, SKIPPED_IN_A_ROW);
    attempts = (int) count(state, ATTEMPTS);
    calmStep = count(state, CALM_STEP);
    rollbacks = count(state, ROLLBACKS);
    wentBackAt = count(state, WENT_BACK_AT);
    learningRateFactor = learningRateFactor(state, learningRate);
    poison = null;
    told = false;
    gaveUp = false;
    recent.restore(state.longs(RECENT));
    skipped.clear();
    skipped.addAll(RowRange.ofLongs(state.longs(SKIPPED)));
  }

  /** Steps that had ended before a cut. */
  static long steps(State cut) {
    return count(cut, STEPS);
  }

  /** Whether the last step before a cut was applied. */
  static boolean isCalm(State cut) {
    return count(cut, SKIPPED_IN_A_ROW) == 0;
  }

  /** Notes in a cut that a run goes back to it. */
  static void wentBack(State cut, Poison from) {
    cut.put(SKIPPED_IN_A_ROW, 0L);
    cut.put(ATTEMPTS, from.attempts() + 1L);
    cut.put(CALM_STEP, from.calmStep());
    cut.put(ROLLBACKS, from.rollbacks() + 1);
    cut.put(WENT_BACK_AT, from.firstStep());
    cut.put(SKIPPED, new long[0]);
    double[] rate = cut.doubles(LEARNING_RATE);
    cut.put(LEARNING_RATE, rate[0], from.learningRateFactor());
  }

  /** What is left of the learning rate; all of it where another one has been configured since the cut. */
  static double learningRateFactor(State cut, double configured) {
    double[] rate = cut.doubles(LEARNING_RATE);
    return rate[0] == configured ? rate[1] : 1;
  }

  private static long count(State cut, String what) {
    return cut.longs(what)[0];
  }
}
