package io.penstock.app;

import io.penstock.trainer.model.Confusion;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.Scores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Metrics in their order, as a person reads them: each with its baselines beneath. */
final class MetricTable {
  static final List<Metric> METRICS =
      Stream.of(
              ofClasses("accuracy", Scores::accuracy),
              List.of(new Metric("kappa", "", Metrics::kappa)),
              List.of(new Metric("kappa-T", "", Metrics::kappaT)),
              ofClasses("precision", Scores::precision),
              ofClasses("recall", Scores::recall),
              ofClasses("F1", Scores::f1),
              area("AUC", Scores::auc, Metrics::aucError),
              area("PR AUC", Scores::prAuc, Metrics::prAucError),
              List.of(new Metric("calibration error", "", m -> m.model().calibrationError())),
              List.of(
                  new Metric("log loss", "", Metrics::logLoss),
                  new Metric("log loss", "shares of classes", m -> m.constant().logLoss())),
              ofNumbers("mae", Scores::mae),
              ofNumbers("rmse", Scores::rmse),
              List.of(
                  new Metric("R²", "", m -> m.model().r2()),
                  new Metric("R²", "no-change", m -> m.noChange().r2())))
          .flatMap(List::stream)
          .toList();

  /** With more, the table of them is too wide to be read. */
  private static final int MOST_CLASSES = 7;

  private static final int NAME_COLUMNS = 22;
  private static final int CELL_COLUMNS = 10;

  /** Of two classes, the rarer one's share below which accuracy says little. */
  private static final double RARE = 0.1;

  private MetricTable() {}

  /**
   * A line of the table.
   *
   * @param beside whose number it is, or what, where it is not the model's
   */
  record Metric(String name, String beside, ToDoubleFunction<Metrics> value) {
    /** Such as {@code accuracy, no-change}. */
    String fullName() {
      return beside.isEmpty() ? name : name + ", " + beside;
    }
  }

  private static List<Metric> ofClasses(String name, ToDoubleFunction<Scores> score) {
    return compared(name, score, "majority class");
  }

  private static List<Metric> ofNumbers(String name, ToDoubleFunction<Scores> score) {
    return compared(name, score, "mean so far");
  }

  private static List<Metric> compared(
      String name, ToDoubleFunction<Scores> score, String constant) {
    return List.of(
        new Metric(name, "", m -> score.applyAsDouble(m.model())),
        new Metric(name, "no-change", m -> score.applyAsDouble(m.noChange())),
        new Metric(name, constant, m -> score.applyAsDouble(m.constant())));
  }

  private static List<Metric> area(
      String name, ToDoubleFunction<Scores> score, ToDoubleFunction<Metrics> error) {
    return List.of(
        new Metric(name, "", m -> score.applyAsDouble(m.model())),
        new Metric(name, "off by at most", error),
        new Metric(name, "equal scores", m -> score.applyAsDouble(m.constant())));
  }

  /**
   * Each metric that applies, of all rows and in the window; of few classes, how they were taken for one another.
   *
   * @param labelDelay rows that labels are taken to come late
   * @param classes their names; empty ones, or none, where they have only numbers
   */
  static List<String> lines(Metrics all, Metrics window, int labelDelay, List<String> classes) {
    List<String> lines = new ArrayList<>();
    lines.add(line("test, then train", "all rows", "window"));
    if (labelDelay > 0) {
      lines.add("  labels %s late".formatted(Texts.count(labelDelay, "row")));
    }
    for (Metric metric : METRICS) {
      double ofAll = metric.value().applyAsDouble(all);
      double ofWindow = metric.value().applyAsDouble(window);
      if (!Double.isNaN(ofAll) || !Double.isNaN(ofWindow)) {
        lines.add(
            line(
                metric.beside().isEmpty() ? metric.name() : "  " + metric.beside(),
                Texts.metric(ofAll),
                Texts.metric(ofWindow)));
      }
    }
    Confusion confusion = all.confusion();
    if (confusion != null && confusion.classes() <= MOST_CLASSES) {
      lines.add("");
      lines.addAll(confusion(confusion, classes));
    }
    return lines;
  }

  private static String line(String name, String all, String window) {
    return String.format(Locale.ROOT, "%-22s %12s %12s", name, all, window);
  }

  private static List<String> confusion(Confusion confusion, List<String> classes) {
    List<String> lines = new ArrayList<>();
    StringBuilder head = new StringBuilder(cut("true class, said to be", NAME_COLUMNS));
    for (int c = 0; c < confusion.classes(); c++) {
      head.append(String.format(Locale.ROOT, " %10s", cut(name(c, classes), CELL_COLUMNS)));
    }
    lines.add(head.toString());
    for (int actual = 0; actual < confusion.classes(); actual++) {
      StringBuilder line =
          new StringBuilder(
              String.format(Locale.ROOT, "%-22s", cut(name(actual, classes), NAME_COLUMNS)));
      for (int said = 0; said < confusion.classes(); said++) {
        line.append(
            String.format(Locale.ROOT, " %10s", Texts.count((long) confusion.rows(actual, said))));
      }
      lines.add(line.toString());
    }
    return lines;
  }

  private static String name(int c, List<String> classes) {
    return c < classes.size() && !classes.get(c).isEmpty() ? classes.get(c) : Integer.toString(c);
  }

  private static String cut(String name, int columns) {
    return name.length() <= columns ? name : name.substring(0, columns - 1) + "…";
  }

  /** The one number to watch: accuracy where there are classes, otherwise the mean absolute error. */
  static double main(Metrics metrics) {
    return metrics.ofClasses() ? metrics.accuracy() : metrics.mae();
  }

  static String nameOfMain(Metrics metrics) {
    return metrics.ofClasses() ? "accuracy" : "mae";
  }

  /** What tells most in a few words: of two classes of which one is rare, the AUC first. */
  static String inShort(Metrics metrics) {
    if (!metrics.ofClasses()) {
      return "mae %s (no-change %s)"
          .formatted(Texts.metric(metrics.mae()), Texts.metric(metrics.noChange().mae()));
    }
    double shareOfOne = metrics.constant().prAuc();
    if (Math.min(shareOfOne, 1 - shareOfOne) < RARE) {
      return "AUC %s, accuracy %s (majority %s)"
          .formatted(
              Texts.metric(metrics.model().auc()),
              Texts.metric(metrics.accuracy()),
              Texts.metric(metrics.constant().accuracy()));
    }
    return "accuracy %s (no-change %s)"
        .formatted(Texts.metric(metrics.accuracy()), Texts.metric(metrics.noChange().accuracy()));
  }
}
