package io.penstock.trainer.model;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Metrics of a label of classes from its sums. */
final class ClassMetrics {
  private final double[] values;
  private final int classes;
  private final ClassSums sums;
  private final int at;
  private final double rows;

  /** What the newest row weighs, its class, and how much more it weighs than the one before. */
  private final double newest;

  private final int lastClass;
  private final double growth;

  ClassMetrics(TrainingState state, boolean fading) {
    values = state.values();
    classes = state.spec().classes();
    sums = new ClassSums(classes, state.spec().late());
    at = TrainingState.SUMS + (fading ? sums.size() : 0);
    rows = sum(TrainingState.SUM_ROWS);
    newest = fading ? values[TrainingState.ROW_WEIGHT] : 1;
    growth = fading ? 1 / state.spec().fade() : 1;
    lastClass = (int) state.counters()[TrainingState.PREVIOUS_CLASS];
  }

  private double sum(int sum) {
    return values[at + sum];
  }

  Metrics all() {
    boolean two = classes == 2;
    ScoreBins.Estimate auc =
        two ? ScoreBins.auc(values, at + sums.bins()) : ScoreBins.Estimate.NONE;
    ScoreBins.Estimate prAuc =
        two ? ScoreBins.prAuc(values, at + sums.bins()) : ScoreBins.Estimate.NONE;
    Scores model =
        scores(
            c -> sum(sums.right(c)),
            c -> sum(sums.predicted() + c),
            auc.value(),
            prAuc.value(),
            calibrationError(),
            sum(TrainingState.SUM_LOG_LOSS) / rows);
    Scores noChange =
        scores(
            c -> sum(sums.noChangeRight() + c),
            this::noChangeSaid,
            Double.NaN,
            Double.NaN,
            Double.NaN,
            Double.NaN);
    Scores constant =
        scores(
            c -> sum(sums.majorityRight() + c),
            c -> sum(sums.majoritySaid() + c),
            Double.isNaN(auc.value()) ? Double.NaN : 0.5,
            Double.isNaN(prAuc.value()) ? Double.NaN : share(1),
            Double.NaN,
            entropy());
    return new Metrics(
        sum(TrainingState.SUM_LOSS) / rows,
        model,
        noChange,
        constant,
        against(model.accuracy(), chance()),
        against(model.accuracy(), noChange.accuracy()),
        auc.error(),
        prAuc.error(),
        confusion());
  }

  /** Scores of a predictor by how often it said a class, and was right. */
  private Scores scores(
      IntToDoubleFunction right,
      IntToDoubleFunction said,
      double auc,
      double prAuc,
      double calibrationError,
      double logLoss) {
    double allRight = 0;
    double precision = 0;
    double recall = 0;
    double f1 = 0;
    int met = 0;
    for (int c = 0; c < classes; c++) {
      double hits = right.applyAsDouble(c);
      double predicted = said.applyAsDouble(c);
      double actual = sum(sums.actual() + c);
      allRight += hits;
      boolean counts = classes == 2 ? c == 1 : actual > 0 || predicted > 0;
      if (counts) {
        met++;
        precision += predicted > 0 ? hits / predicted : 0;
        recall += actual > 0 ? hits / actual : 0;
        f1 += hits > 0 ? 2 * hits / (predicted + actual) : 0;
      }
    }
    return new Scores(
        allRight / rows,
        precision / met,
        recall / met,
        f1 / met,
        auc,
        prAuc,
        calibrationError,
        logLoss,
        Double.NaN,
        Double.NaN,
        Double.NaN);
  }

  /** Rows behind one of the class: those of the class but the newest, each weighing what its successor does. */
  private double noChangeSaid(int c) {
    if (sums.late()) {
      return sum(sums.noChangeSaid() + c);
    }
    double actual = sum(sums.actual() + c);
    return growth * (c == lastClass ? Math.max(0, actual - newest) : actual);
  }

  private double share(int c) {
    return sum(sums.actual() + c) / rows;
  }

  /** Of the classes' shares: the log loss of saying just these. */
  private double entropy() {
    double entropy = 0;
    for (int c = 0; c < classes; c++) {
      double share = share(c);
      entropy -= share > 0 ? share * Math.log(share) : 0;
    }
    return entropy;
  }

  private double calibrationError() {
    double gaps = 0;
    for (int bin = 0; bin < ScoreBins.PROBABILITIES; bin++) {
      gaps += Math.abs(sum(sums.gaps() + bin));
    }
    return gaps / rows;
  }

  private double chance() {
    double both = 0;
    for (int c = 0; c < classes; c++) {
      both += share(c) * (sum(sums.predicted() + c) / rows);
    }
    return both;
  }

  private static double against(double accuracy, double baseline) {
    return baseline == 1 ? 0 : (accuracy - baseline) / (1 - baseline);
  }

  private @Nullable Confusion confusion() {
    if (!sums.isConfusionKept()) {
      return null;
    }
    List<Double> cells = new ArrayList<>();
    for (int cell = 0; cell < sums.cellCount(); cell++) {
      cells.add(sum(sums.cells() + cell) / newest);
    }
    return new Confusion(classes, cells);
  }
}
