package io.penstock.app;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells on the way how a run goes: on a terminal one line that is written over a few times a second, elsewhere a line every
 * few seconds. Main thread only.
 */
final class StatusLine {
  static final long TERMINAL_NANOS = 250_000_000L;
  static final long LINE_NANOS = 5_000_000_000L;
  private static final String CLEAR_TO_END = "\u001b[K";

  private final PrintStream out;
  private final int columns;
  private boolean shown;
  private boolean live;
  private long shownNanos;
  private long shownRows;
  private double shownSeconds;

  /**
   * @param columns width of the terminal; 0: not a terminal
   */
  StatusLine(PrintStream out, int columns) {
    this.out = out;
    this.columns = columns;
  }

  /** Shows the run where it is time to. */
  void update(long nowNanos, RunSnapshot run) {
    if (shown && nowNanos - shownNanos < (columns > 0 ? TERMINAL_NANOS : LINE_NANOS)) {
      return;
    }
    String line = line(run);
    if (columns > 0) {
      out.print("\r" + cut(line) + CLEAR_TO_END);
      live = true;
    } else if (shown) {
      out.println(line);
    }
    out.flush();
    shown = true;
    shownNanos = nowNanos;
    shownRows = run.rows().trained();
    shownSeconds = run.seconds();
  }

  /** Leaves the last line standing; what is printed next begins a line of its own. */
  void end() {
    if (live) {
      out.println();
      live = false;
    }
  }

  private String line(RunSnapshot run) {
    long trained = run.rows().trained();
    if (trained == 0) {
      return run.rows().rejected() == 0
          ? "waiting for rows from " + run.source()
          : "no row trained yet; rejected " + Texts.count(run.rows().rejected());
    }
    List<String> parts = new ArrayList<>();
    parts.add(Texts.count(trained, "row"));
    parts.add(Texts.rate(recentRate(run)) + " rows/s");
    parts.add(MetricTable.inShort(run.window()));
    parts.add("loss " + Texts.metric(run.loss()));
    if (!Double.isNaN(run.freshnessMillis().p50())) {
      parts.add("fresh " + Texts.millis(run.freshnessMillis().p50()));
    }
    parts.add("ring " + run.memory().ringFill() + "/" + run.memory().ringCapacity());
    parts.add("limit " + Bottleneck.of(run).stage());
    if (run.rows().rejected() > 0) {
      parts.add("rejected " + Texts.count(run.rows().rejected()));
    }
    return String.join(" | ", parts);
  }

  private double recentRate(RunSnapshot run) {
    double seconds = run.seconds() - shownSeconds;
    return seconds <= 0
        ? run.rowsPerSecond()
        : Math.max(0, run.rows().trained() - shownRows) / seconds;
  }

  /** A line as long as the terminal is wide would wrap, and could not be written over. */
  private String cut(String line) {
    return line.length() < columns ? line : line.substring(0, Math.max(0, columns - 1));
  }
}
