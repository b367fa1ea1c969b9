package io.penstock.trainer;

import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.RowRange;
import io.penstock.pipeline.State;
import java.util.List;

/**
 * Rows that a run must do without: too many minibatches in a row were not applied, so those applied just before them may have
 * spoilt the weights, and all of them the operators' state. The way on is a checkpoint from before them.
 *
 * @param rows of the minibatches that were not applied, and of some applied before them
 * @param skipped minibatches that were not applied
 * @param firstStep steps that had ended before the first of these minibatches
 * @param calmStep steps that must have ended until the next rollback counts as one at another place
 * @param attempts how often the run went back at about this place before
 * @param rollbacks how often it did so at all
 * @param learningRateFactor what is to be left of the learning rate from here on
 */
public record Poison(
    List<RowRange> rows,
    int skipped,
    long firstStep,
    long calmStep,
    int attempts,
    long rollbacks,
    double learningRateFactor) {
  public Poison {
    rows = List.copyOf(rows);
  }

  /** How many rows those are at most: some may have been rejected. */
  public long rowCount() {
    return rows.stream().mapToLong(range -> range.last() - range.first() + 1).sum();
  }

  /** Whether {@code cut} was made before any of the rows could do harm; operators have seen those of an unfinished minibatch. */
  public boolean isBehind(State cut) {
    long steps = PoisonGuard.steps(cut);
    return PoisonGuard.isCalm(cut)
        && (steps < firstStep || (steps == firstStep && Assembler.unfinishedRows(cut) == 0));
  }

  /** Notes in {@code cut} that a run goes back to it because of these rows. */
  public void note(State cut) {
    PoisonGuard.wentBack(cut, this);
  }

  /** Makes a run that goes on from {@code cut} do without the rows. */
  public void leaveOut(State cut) {
    Merge.leaveOut(cut, rows);
  }
}
