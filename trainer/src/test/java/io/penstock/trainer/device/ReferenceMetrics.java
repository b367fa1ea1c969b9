package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.trainer.model.Metrics;
import java.util.ArrayList;
import java.util.List;

/** Prequential metrics of classes from all rows kept, computed once at the end by their definitions. */
final class ReferenceMetrics {
  private final int classes;
  private final int window;
  private final List<Integer> predicted = new ArrayList<>();
  private final List<Integer> actual = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();

  ReferenceMetrics(int classes, int window) {
    this.classes = classes;
    this.window = window;
  }

  void add(double[] outputs, int label) {
    int best = 0;
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      best = outputs[c] > outputs[best] ? c : best;
      sum += Math.exp(outputs[c] - outputs[label]);
    }
    predicted.add(best);
    actual.add(label);
    losses.add(Math.log(sum));
  }

  long rows() {
    return actual.size();
  }

  void check(Metrics metrics, double fade) {
    double[][] confusion = new double[classes][classes];
    double total = 0;
    double loss = 0;
    double noChange = 0;
    double majority = 0;
    int[] seen = new int[classes];
    int most = -1;
    for (int i = 0; i < actual.size(); i++) {
      double share = Math.pow(fade, actual.size() - 1 - i);
      int label = actual.get(i);
      total += share;
      loss += share * losses.get(i);
      confusion[label][predicted.get(i)] += share;
      noChange += i > 0 && label == actual.get(i - 1) ? share : 0;
      majority += label == most ? share : 0;
      seen[label]++;
      if (most < 0 || seen[label] > seen[most]) {
        most = label;
      }
    }
    double right = 0;
    double chance = 0;
    for (int c = 0; c < classes; c++) {
      right += confusion[c][c];
      double row = 0;
      double column = 0;
      for (int d = 0; d < classes; d++) {
        row += confusion[c][d];
        column += confusion[d][c];
      }
      chance += row / total * (column / total);
    }
    double accuracy = right / total;
    double baseline = noChange / total;
    String what = "window " + window + ", fade " + fade;
    assertThat(metrics.accuracy()).as(what).isCloseTo(accuracy, within(1e-9));
    assertThat(metrics.kappa()).isCloseTo((accuracy - chance) / (1 - chance), within(1e-9));
    assertThat(metrics.kappaT()).isCloseTo((accuracy - baseline) / (1 - baseline), within(1e-9));
    assertThat(metrics.noChange().accuracy()).isCloseTo(baseline, within(1e-9));
    assertThat(metrics.constant().accuracy()).isCloseTo(majority / total, within(1e-9));
    assertThat(metrics.logLoss()).isCloseTo(loss / total, within(1e-5));
  }
}
