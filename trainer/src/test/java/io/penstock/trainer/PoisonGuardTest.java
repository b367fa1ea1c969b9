package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.pipeline.RowRange;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.State;
import io.penstock.trainer.device.StepResult.Status;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A stream of minibatches of one row each, that numbers them; it goes back as a run does, to checkpoints 25 rows apart. */
class PoisonGuardTest {
  private static final int AFTER = 4;
  private static final int EVERY = 25;
  private static final double RATE = 0.5;
  private static final SlotLayout LAYOUT = SlotLayout.of(1, 1);

  private final Slot slot = new Slot(LAYOUT, Arena.ofAuto().allocate(LAYOUT.byteSize(), 64));
  private final TreeSet<Integer> leftOut = new TreeSet<>();
  private final List<Poison> poisons = new ArrayList<>();
  private final List<State> checkpoints = new ArrayList<>();
  private PoisonGuard guard = guard();
  private boolean hasCheckpoints = true;

  /** A verdict on minibatches that may hang on how much is left of the learning rate. */
  private interface Verdict {
    boolean isBad(int row, double factor);
  }

  private PoisonGuard guard() {
    return new PoisonGuard(AFTER, RATE, () -> hasCheckpoints);
  }

  private void run(int rows, IntPredicate bad) {
    run(rows, (row, factor) -> bad.test(row));
  }

  private void run(int rows, Verdict verdict) {
    save(0);
    for (int row = 0; row < rows; row++) {
      if (row % EVERY == 0) {
        save(row);
      }
      if (leftOut.contains(row)) {
        continue;
      }
      end(row, verdict.isBad(row, guard.learningRateFactor()) ? Status.NOT_FINITE : Status.APPLIED);
      Poison poison = guard.poison();
      if (poison != null) {
        row = goBack(poison) - 1;
      }
    }
  }

  private void end(int row, Status status) {
    SlotFiller.fill(slot, row, SlotFiller.Rows.of(new float[][] {{1}}, new float[] {0}), row);
    guard.ended(slot, status);
  }

  private void save(int row) {
    State state = new State();
    guard.save(state);
    state.put("row", (long) row);
    state.put("assembler.counts", 0, 0, 0);
    checkpoints.add(state);
  }

  private int goBack(Poison poison) {
    assertThat(poisons).hasSizeLessThan(100);
    poisons.add(poison);
    for (RowRange range : poison.rows()) {
      IntStream.rangeClosed((int) range.first(), (int) range.last()).forEach(leftOut::add);
    }
    checkpoints.removeIf(cut -> !poison.isBehind(cut));
    State base = checkpoints.getLast();
    poison.note(base);
    guard = guard();
    guard.restore(base);
    return (int) base.longs("row")[0];
  }

  private static List<Integer> rows(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  @Test
  void shouldLetSingleMinibatchesPass() {
    run(1000, row -> row % 10 < 3);
    assertThat(poisons).isEmpty();
    assertThat(guard.skippedInARow()).isZero();
  }

  @Test
  void shouldLeaveOutTheMinibatchesInARowAndTheOneBefore() {
    run(200, row -> row >= 60 && row < 64);
    assertThat(leftOut).containsExactlyElementsOf(rows(59, 64));
    assertThat(poisons).hasSize(1);
    assertThat(guard.rollbacks()).isEqualTo(1);
    assertThat(guard.learningRateFactor()).isEqualTo(1);
  }

  @Test
  void shouldGoBackBehindTheMinibatchThatIsBlamedAndNotIntoTheTrouble() {
    run(200, row -> row >= 50 && row < 54);
    assertThat(poisons.getFirst().isBehind(cut(49, 0))).isTrue();
    assertThat(poisons.getFirst().isBehind(cut(50, 0))).isFalse();
    assertThat(poisons.getFirst().isBehind(cut(49, 0, 1)))
        .as("operators have seen a row of the minibatch that is blamed")
        .isFalse();
    assertThat(poisons.getFirst().isBehind(cut(48, 0, 1))).isTrue();
    assertThat(poisons.getFirst().isBehind(cut(40, 2))).isFalse();
    assertThat(leftOut).containsExactlyElementsOf(rows(49, 54));
  }

  private static State cut(long steps, long skippedInARow) {
    return cut(steps, skippedInARow, 0);
  }

  private static State cut(long steps, long skippedInARow, long unfinishedRows) {
    State state = new State();
    state.put("assembler.counts", steps, steps, unfinishedRows);
    state.put("guard.steps", steps);
    state.put("guard.skippedInARow", skippedInARow);
    return state;
  }

  @Test
  void shouldTakeTwiceAsManyEachTimeWhereTheTroubleGoesOnAndBlameNoMoreThanOne() {
    run(300, row -> row >= 60 && row < 60 + 4 + 8);
    assertThat(leftOut).containsExactlyElementsOf(rows(59, 72));
    assertThat(poisons).hasSize(2);
    assertThat(guard.learningRateFactor()).isEqualTo(1);
  }

  @Test
  void shouldGoBackForTheRestOfTheTroubleToo() {
    run(300, row -> row >= 60 && row < 60 + 4 + 3);
    assertThat(leftOut).containsExactlyElementsOf(rows(59, 67));
    assertThat(poisons).hasSize(2);
    assertThat(guard.learningRateFactor()).isEqualTo(1);
    assertThat(guard.skippedInARow()).isZero();
  }

  @Test
  void shouldHalveTheLearningRateWhereTroubleIsBackAfterSomeStepsThatWentWell() {
    run(
        1000,
        (row, factor) ->
            factor > 0.2 && row > 3 + Math.max(57, leftOut.isEmpty() ? 0 : leftOut.last()));
    assertThat(guard.learningRateFactor()).isEqualTo(0.125);
    assertThat(guard.rollbacks()).isEqualTo(4);
    assertThat(guard.skippedInARow()).isZero();
  }

  @Test
  void shouldBlameMoreOfThoseBeforeWhereTroubleIsBackAtOnceAgainAndAgain() {
    // Row 40 is the cause: as long as it is trained on, nothing from row 60 on goes well.
    run(1000, (row, factor) -> row >= 60 && !leftOut.contains(40));
    assertThat(leftOut).contains(40);
    assertThat(guard.learningRateFactor()).isEqualTo(1);
    assertThat(guard.skippedInARow()).isZero();
  }

  @Test
  void shouldTakeTroubleFarAwayForAnotherOne() {
    run(1000, row -> (row >= 60 && row < 64) || (row >= 500 && row < 504));
    assertThat(leftOut)
        .containsExactlyElementsOf(
            IntStream.concat(IntStream.range(59, 64), IntStream.range(499, 504)).boxed().toList());
    assertThat(guard.learningRateFactor()).isEqualTo(1);
    assertThat(guard.rollbacks()).isEqualTo(2);
  }

  @Test
  void shouldGoOnWhereRollbacksAreNoHelp() {
    run(12_000, row -> row >= 60);
    assertThat(poisons).hasSize(PoisonGuard.MOST_ATTEMPTS);
    assertThat(guard.poison()).isNull();
    assertThat(guard.skippedInARow()).isGreaterThan(4 << PoisonGuard.MOST_ATTEMPTS);
  }

  @Test
  void shouldTakeALossThatStaysHighForALastingChange() {
    // As a device does that lets a spike pass after 128 in a row.
    AtomicBoolean accepted = new AtomicBoolean();
    run(
        2000,
        row -> {
          accepted.compareAndSet(false, guard.skippedInARow() >= 128);
          return row >= 60 && !accepted.get();
        });
    assertThat(guard.skippedInARow()).isZero();
    assertThat(guard.rollbacks()).isLessThan(7);
    assertThat(guard.learningRateFactor()).isEqualTo(1);
  }

  @Test
  void shouldKeepNothingOfStepsBehindAPointWhereItHasGivenUp() {
    hasCheckpoints = false;
    run(10_000, row -> row >= 60);
    State state = new State();
    guard.save(state);
    assertThat(state.longs("guard.skipped")).isEmpty();
    hasCheckpoints = true;
    end(10_000, Status.APPLIED);
    for (int row = 10_001; row < 10_001 + AFTER; row++) {
      end(row, Status.NOT_FINITE);
    }
    assertThat(guard.poison()).isNotNull();
  }

  @Test
  void shouldGoBackAtOnceWhereItGoesOnFromMoreThanIsAllowed() {
    for (int row = 0; row < 63; row++) {
      end(row, row < 60 ? Status.APPLIED : Status.NOT_FINITE);
    }
    State state = new State();
    guard.save(state);
    guard = new PoisonGuard(2, RATE, () -> true);
    guard.restore(state);
    end(63, Status.NOT_FINITE);
    assertThat(guard.poison()).isNotNull();
  }

  @Test
  void shouldGoOnWhereThereIsNoCheckpoint() {
    hasCheckpoints = false;
    run(200, row -> row >= 60 && row < 80);
    assertThat(poisons).isEmpty();
    assertThat(leftOut).isEmpty();
  }

  @Test
  void shouldCountWeightlessMinibatchesForNothing() {
    save(0);
    for (int row = 0; row < 100; row++) {
      end(row, row == 97 ? Status.NOT_FINITE : row > 90 ? Status.WEIGHTLESS : Status.APPLIED);
    }
    assertThat(guard.skippedInARow()).isEqualTo(1);
    for (int row = 100; row < 103; row++) {
      end(row, Status.NOT_FINITE);
    }
    Poison poison = Objects.requireNonNull(guard.poison());
    assertThat(poison.rows())
        .containsExactly(
            new RowRange(0, 90, 90),
            new RowRange(0, 97, 97),
            new RowRange(0, 100, 100),
            new RowRange(0, 101, 101),
            new RowRange(0, 102, 102));
  }

  @Test
  void shouldFindTheSameRowsHoweverOftenItIsSavedAndRestored() {
    for (int row = 0; row < 63; row++) {
      end(row, row < 60 ? Status.APPLIED : Status.NOT_FINITE);
      State state = new State();
      guard.save(state);
      guard = guard();
      guard.restore(state);
    }
    end(63, Status.NOT_FINITE);
    Poison poison = Objects.requireNonNull(guard.poison());
    assertThat(poison.rowCount()).isEqualTo(5);
    assertThat(poison.rows().getFirst()).isEqualTo(new RowRange(0, 59, 59));
    assertThat(poison.rows().getLast()).isEqualTo(new RowRange(0, 63, 63));
  }

  @Test
  void shouldTakeUpAnotherLearningRateWhole() {
    guard.restore(halved());
    assertThat(guard.learningRateFactor()).isEqualTo(0.5);
    guard = new PoisonGuard(AFTER, 2 * RATE, () -> true);
    guard.restore(halved());
    assertThat(guard.learningRateFactor()).isEqualTo(1);
  }

  private State halved() {
    State state = new State();
    guard().save(state);
    new Poison(List.of(), 0, 0, 0, 1, 1, 0.5).note(state);
    return state;
  }

  @Test
  void shouldRememberRowsOfManyPartitionsAsRanges() {
    RecentRows recent = new RecentRows();
    for (int minibatch = 0; minibatch < 40; minibatch++) {
      recent.begin();
      for (int i = 0; i < 9; i++) {
        recent.add(i / 3, 10L * minibatch + i % 3 + (i % 3 == 2 ? 4 : 0));
      }
      recent.end();
    }
    recent.begin();
    recent.add(7, 7); // is noted, but not remembered yet
    assertThat(recent.last(RecentRows.MINIBATCHES).getFirst()).isEqualTo(new RowRange(0, 240, 246));
    assertThat(recent.size()).isEqualTo(RecentRows.MINIBATCHES);
    assertThat(recent.last(1))
        .containsExactly(
            new RowRange(0, 390, 396), new RowRange(1, 390, 396), new RowRange(2, 390, 396));
    RecentRows restored = new RecentRows();
    restored.restore(recent.save());
    assertThat(restored.last(RecentRows.MINIBATCHES))
        .isEqualTo(recent.last(RecentRows.MINIBATCHES))
        .hasSize(3 * RecentRows.MINIBATCHES);
  }
}
