package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.TrainingState;
import java.util.ArrayList;
import java.util.List;

/** The sums of a {@link TrainingState}, computed at the end from all rows that counted, by their definitions. */
final class ReferenceEvaluation {
  private final MetricsSpec spec;
  private final List<Row> rows = new ArrayList<>();

  private record Row(float label, float prediction, float loss) {}

  ReferenceEvaluation(MetricsSpec spec) {
    this.spec = spec;
  }

  void add(float label, float prediction, float loss) {
    rows.add(new Row(label, prediction, loss));
  }

  /**
   * Fails where {@code state} differs. Counters and β powers are exact; a sum of n doubles, each faded by up to n
   * multiplications, is off by no more than 2 n of its ulps, sums here being of positive terms.
   */
  void check(TrainingState state, String what) {
    TrainingState expected = new TrainingState(spec);
    double[] sums = expected.values();
    long[] counters = expected.counters();
    int[] seen = new int[spec.classes()];
    for (int i = 0; i < rows.size(); i++) {
      add(sums, counters, rows.get(i), Math.pow(spec.fade(), rows.size() - 1 - i));
      count(counters, seen, rows.get(i));
    }
    counters[TrainingState.ROWS] = rows.size();
    for (int counter :
        new int[] {
          TrainingState.ROWS, TrainingState.PREVIOUS_CLASS, TrainingState.MAJORITY_CLASS
        }) {
      assertThat(state.counters()[counter])
          .as("%s: counter %d", what, counter)
          .isEqualTo(counters[counter]);
    }
    for (int i = 0; i < sums.length; i++) {
      assertThat(state.values()[i])
          .as("%s: value %d", what, i)
          .isCloseTo(sums[i], within(2 * (rows.size() + 4) * Math.ulp(sums[i])));
    }
  }

  private void add(double[] sums, long[] counters, Row row, double share) {
    add(sums, TrainingState.SUM_ROWS, 1, share);
    add(sums, TrainingState.SUM_LOSS, row.loss, share);
    if (spec.classes() == 0) {
      double error = (double) row.prediction - row.label;
      add(sums, TrainingState.SUM_ABSOLUTE_ERROR, Math.abs(error), share);
      add(sums, TrainingState.SUM_SQUARED_ERROR, error * error, share);
      return;
    }
    boolean repeats = row.label == counters[TrainingState.PREVIOUS_CLASS];
    boolean isMajority = row.label == counters[TrainingState.MAJORITY_CLASS];
    add(sums, TrainingState.SUM_CORRECT, row.label == row.prediction ? 1 : 0, share);
    add(sums, TrainingState.SUM_NO_CHANGE_CORRECT, repeats ? 1 : 0, share);
    add(sums, TrainingState.SUM_MAJORITY_CORRECT, isMajority ? 1 : 0, share);
    add(sums, TrainingState.SUM_LOG_LOSS, Math.min(row.loss, -Math.log(1e-15)), share);
    add(sums, TrainingState.SUM_ACTUAL + (int) row.label, 1, share);
    add(sums, TrainingState.SUM_ACTUAL + spec.classes() + (int) row.prediction, 1, share);
  }

  private void count(long[] counters, int[] seen, Row row) {
    if (spec.classes() == 0) {
      return;
    }
    int label = (int) row.label;
    seen[label]++;
    counters[TrainingState.PREVIOUS_CLASS] = label;
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    if (majority < 0 || seen[label] > seen[majority]) {
      counters[TrainingState.MAJORITY_CLASS] = label;
    }
  }

  private void add(double[] sums, int sum, double value, double share) {
    sums[TrainingState.SUMS + sum] += value;
    sums[TrainingState.SUMS + TrainingState.sums(spec.classes()) + sum] += value * share;
  }
}
