package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.TrainingState;
import java.util.ArrayList;
import java.util.List;

/** The sums of a {@link TrainingState}, computed at the end from all rows that counted, by their definitions. */
final class ReferenceEvaluation {
  private static final int PROBABILITY_BINS = 15;
  private static final int SCORE_BINS = 1024;

  private final MetricsSpec spec;
  private final int classes;
  private final List<Row> rows = new ArrayList<>();

  private record Row(float label, float prediction, float score, float loss) {}

  ReferenceEvaluation(MetricsSpec spec) {
    this.spec = spec;
    classes = spec.classes();
  }

  void add(float label, float prediction, float score, float loss) {
    rows.add(new Row(label, prediction, score, loss));
  }

  /**
   * Fails where {@code state} differs. Counters are exact; a sum of n doubles, whose weights come of up to n multiplications, is
   * off by no more than 2 n ulps of the sum of their sizes. Fading sums are compared as the newest row weighs 1.
   */
  void check(TrainingState state, String what) {
    TrainingState expected = new TrainingState(spec);
    Accumulated sums = new Accumulated(TrainingState.sums(spec));
    long[] counters = expected.counters();
    int[] seen = new int[classes];
    double labels = 0;
    for (int i = 0; i < rows.size(); i++) {
      sums.share = Math.pow(spec.fade(), rows.size() - 1 - i);
      sums.add(0, 1);
      sums.add(1, rows.get(i).loss);
      if (classes == 0) {
        addNumber(sums, i, i == 0 ? 0 : labels / i);
        labels += rows.get(i).label;
      } else {
        addClass(sums, counters, rows.get(i));
        count(counters, seen, rows.get(i));
      }
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
    double newest = state.values()[TrainingState.ROW_WEIGHT];
    int count = sums.all.length;
    for (int i = 0; i < count; i++) {
      String sum = what + ": sum " + i;
      close(state.values()[TrainingState.SUMS + i], sums.all[i], sums.allSizes[i], sum);
      double fading = state.values()[TrainingState.SUMS + count + i] / newest;
      close(fading, sums.fading[i], sums.fadingSizes[i], sum + ", fading");
    }
  }

  private void close(double actual, double expected, double size, String what) {
    double most = 2 * (rows.size() + 4) * Math.ulp(size);
    if (!(Math.abs(actual - expected) <= most)) {
      assertThat(actual).as(what).isCloseTo(expected, within(most));
    }
  }

  /** Sums with the sums of their terms' sizes. */
  private static final class Accumulated {
    final double[] all;
    final double[] allSizes;
    final double[] fading;
    final double[] fadingSizes;

    /** What the row weighs in the fading sums. */
    double share;

    Accumulated(int count) {
      all = new double[count];
      allSizes = new double[count];
      fading = new double[count];
      fadingSizes = new double[count];
    }

    void add(int sum, double value) {
      all[sum] += value;
      allSizes[sum] += Math.abs(value);
      fading[sum] += value * share;
      fadingSizes[sum] += Math.abs(value) * share;
    }
  }

  private void addNumber(Accumulated sums, int index, double mean) {
    Row row = rows.get(index);
    double previous = index == 0 ? 0 : rows.get(index - 1).label;
    int sum = 2;
    for (double said : new double[] {row.prediction, previous, mean}) {
      double error = said - row.label;
      sums.add(sum++, Math.abs(error));
      sums.add(sum++, error * error);
    }
  }

  private void addClass(Accumulated sums, long[] counters, Row row) {
    int actual = (int) row.label;
    int predicted = (int) row.prediction;
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    sums.add(2, Math.min(row.loss, -Math.log(1e-15)));
    int byClass = 3;
    sums.add(byClass + actual, 1);
    sums.add(byClass + classes + predicted, 1);
    if (actual == counters[TrainingState.PREVIOUS_CLASS]) {
      sums.add(byClass + 2 * classes + actual, 1);
    }
    if (majority >= 0) {
      sums.add(byClass + 3 * classes + majority, 1);
    }
    if (actual == majority) {
      sums.add(byClass + 4 * classes + actual, 1);
    }
    int cells = byClass + 5 * classes;
    boolean table = classes <= 64;
    if (table) {
      sums.add(cells + actual * classes + predicted, 1);
    } else if (actual == predicted) {
      sums.add(cells + actual, 1);
    }
    int gaps = cells + (table ? classes * classes : classes);
    if (classes == 2) {
      double place = 32 * (Math.clamp((double) row.score, -16, 16) + 16);
      int bin = place < SCORE_BINS ? (int) place : SCORE_BINS - 1;
      sums.add(gaps + PROBABILITY_BINS + actual * SCORE_BINS + bin, 1);
      double low = sigmoid(bin / 32.0 - 16);
      double said = low + (place - bin) * (sigmoid((bin + 1) / 32.0 - 16) - low);
      sums.add(gaps + (int) (said * PROBABILITY_BINS), said - actual);
    } else {
      int gap = row.score < 1 ? (int) ((double) row.score * PROBABILITY_BINS) : 14;
      sums.add(gaps + gap, (double) row.score - (actual == predicted ? 1 : 0));
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private void count(long[] counters, int[] seen, Row row) {
    int label = (int) row.label;
    seen[label]++;
    counters[TrainingState.PREVIOUS_CLASS] = label;
    int majority = (int) counters[TrainingState.MAJORITY_CLASS];
    if (majority < 0 || seen[label] > seen[majority]) {
      counters[TrainingState.MAJORITY_CLASS] = label;
    }
  }
}
