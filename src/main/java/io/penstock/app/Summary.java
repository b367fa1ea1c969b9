package io.penstock.app;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a person wants to know at the end of a run. */
final class Summary {
  private Summary() {}

  /**
   * @param classes names of the label's classes
   */
  static String of(
      RunSnapshot run, DeadLetters deadLetters, MetricHistory history, List<String> classes) {
    List<String> lines = new ArrayList<>();
    if (run.failure() != null) {
      lines.add("The run failed: " + run.failure());
    }
    lines.add(trained(run));
    if (run.rows().trained() > 0) {
      lines.add("");
      lines.addAll(MetricTable.lines(run.cumulative(), run.window(), run.labelDelay(), classes));
      lines.addAll(history(run, history));
      lines.add("");
      lines.addAll(times(run));
    }
    lines.addAll(untrained(run, deadLetters));
    if (run.rows().trained() > 0) {
      lines.add("limit        " + Bottleneck.of(run).sentence());
    }
    lines.addAll(saved(run));
    if (!run.outcome().weightsSha256().isEmpty()) {
      lines.add("weights      sha256 " + run.outcome().weightsSha256());
    }
    return String.join("\n", lines);
  }

  private static String trained(RunSnapshot run) {
    return "Trained on %s from %s in %s: %s rows/s, %s on %s"
        .formatted(
            Texts.count(run.rows().trained(), "row"),
            run.source(),
            Texts.seconds(run.seconds()),
            Texts.rate(run.rowsPerSecond()),
            Texts.count(run.batches(), "minibatch"),
            run.device());
  }

  private static List<String> history(RunSnapshot run, MetricHistory history) {
    if (history.size() < 2) {
      return List.of();
    }
    String name = MetricTable.nameOfMain(run.window());
    int least = history.indexOfLeast();
    int most = history.indexOfMost();
    return List.of(
        "",
        "%s in the window over the run: %s at row %s, %s at row %s, %s at the end"
            .formatted(
                name,
                Texts.metric(history.value(Math.min(least, most))),
                Texts.count(history.row(Math.min(least, most))),
                Texts.metric(history.value(Math.max(least, most))),
                Texts.count(history.row(Math.max(least, most))),
                Texts.metric(MetricTable.main(run.window()))),
        history.sparkline());
  }

  private static List<String> times(RunSnapshot run) {
    List<String> lines = new ArrayList<>();
    if (!Double.isNaN(run.stepMicros().p50())) {
      lines.add(
          String.format(
              Locale.ROOT,
              "step         median %.0f µs, 99%% within %.0f µs",
              run.stepMicros().p50(),
              run.stepMicros().p99()));
    }
    if (!Double.isNaN(run.freshnessMillis().p50())) {
      lines.add(
          "freshness    median %s, 99%% within %s"
              .formatted(
                  Texts.millis(run.freshnessMillis().p50()),
                  Texts.millis(run.freshnessMillis().p99())));
    }
    return lines;
  }

  private static List<String> saved(RunSnapshot run) {
    RunSnapshot.Saved saved = run.saved();
    List<String> lines = new ArrayList<>();
    if (saved.resumedRows() > 0) {
      lines.add(
          "went on      after %s that runs before it had trained on"
              .formatted(Texts.count(saved.resumedRows(), "row")));
    }
    if (saved.file() != null) {
      lines.add(
          "checkpoint   %s, at row %s, %s; training stood still %s for it"
              .formatted(
                  saved.file(),
                  Texts.count(saved.rows()),
                  Texts.bytes(saved.bytes()),
                  Texts.millis(saved.pauseMillis())));
    }
    if (saved.failed() > 0) {
      lines.add(
          "             %s could not be written%s"
              .formatted(
                  Texts.count(saved.failed(), "checkpoint"),
                  saved.failure() == null
                      ? ", those after could"
                      : "; what was learnt since is not saved: " + saved.failure()));
    }
    return lines;
  }

  private static List<String> untrained(RunSnapshot run, DeadLetters deadLetters) {
    List<String> lines = new ArrayList<>();
    if (run.rows().rejected() > 0) {
      lines.add(
          "rejected     %s (%s)%s"
              .formatted(
                  Texts.count(run.rows().rejected(), "row"),
                  reasons(run, deadLetters),
                  deadLetters.file() == null ? ", not kept" : ", kept in " + deadLetters.file()));
    }
    RotatedFile.Deleted deleted = deadLetters.deleted();
    if (deleted.files() > 0) {
      lines.add(
          "             %s deleted with %s: errors.deadLettersKeep keeps no more"
              .formatted(
                  Texts.count(deleted.files(), "older file"), Texts.count(deleted.lines(), "row")));
    }
    IOException failure = deadLetters.failure();
    if (failure != null) {
      lines.add("             not all of them: writing failed (" + Causes.of(failure) + ")");
    }
    if (run.rows().skipped() > 0) {
      lines.add(
          "skipped      %s of minibatches whose loss was a spike, or not finite%s"
              .formatted(
                  Texts.count(run.rows().skipped(), "row"),
                  deadLetters.file() == null ? ", not kept" : ", kept in " + deadLetters.file()));
    }
    if (run.setbacks().rollbacks() > 0) {
      lines.add(
          "rolled back  %s to a checkpoint, to do without %s%s%s"
              .formatted(
                  Texts.count(run.setbacks().rollbacks(), "time"),
                  Texts.count(run.rows().leftOut(), "row"),
                  run.rows().lost() == 0
                      ? ""
                      : "; %s trained on before are lost"
                          .formatted(Texts.count(run.rows().lost(), "row")),
                  run.setbacks().learningRateFactor() == 1
                      ? ""
                      : "; the learning rate is now %s of the configured one"
                          .formatted(run.setbacks().learningRateFactor())));
    }
    if (run.rows().notTrained() > 0) {
      lines.add(
          "not trained  %s that had come when the run ended"
              .formatted(Texts.count(run.rows().notTrained(), "row")));
    }
    return lines;
  }

  /** Those of this process by reason; of runs that it goes on from, only their number is known. */
  private static String reasons(RunSnapshot run, DeadLetters deadLetters) {
    List<String> reasons = new ArrayList<>();
    deadLetters
        .byReason()
        .forEach((reason, rows) -> reasons.add(DeadLetters.name(reason) + " " + Texts.count(rows)));
    long before = run.rows().rejected() - deadLetters.count();
    if (before > 0 && run.saved().resumedRows() > 0) {
      reasons.add(Texts.count(before) + " by runs before");
    }
    return String.join(", ", reasons);
  }
}
