package io.penstock.app;

import java.util.List;
import java.util.Locale;

/** Every meter: its name, unit, tags and meaning. {@code src/docs/metrics.md} is made from this. */
enum PenstockMeter {
  ROWS_RECEIVED(
      Kind.COUNTER, "penstock.received", "rows", "Rows that came, rejected ones counted in."),
  ROWS_TRAINED(Kind.COUNTER, "penstock.trained", "rows", "Rows trained on."),
  ROWS_REJECTED(
      Kind.COUNTER, "penstock.rejected", "rows", "Rows that could not be used.", "reason"),
  ROWS_SKIPPED(
      Kind.COUNTER,
      "penstock.skipped",
      "rows",
      "Rows whose step was not applied: its loss or gradient was not finite, or its loss a spike."),
  ROWS_LEFT_OUT(
      Kind.COUNTER,
      "penstock.left.out",
      "rows",
      "Rows that the run does without since it went back to a checkpoint before them."),
  ROWS_LOST(
      Kind.COUNTER,
      "penstock.lost",
      "rows",
      "Rows whose training was undone when the run went back, and which could not be had again."),
  ROLLBACKS(
      Kind.COUNTER, "penstock.rollbacks", "", "How often the run has gone back to a checkpoint."),
  SKIPPED_IN_A_ROW(
      Kind.GAUGE,
      "penstock.skipped.in.a.row",
      "batches",
      "Minibatches since the last that was trained on."),
  CONNECTIONS_REFUSED(
      Kind.COUNTER,
      "penstock.connections.refused",
      "",
      "Connections that the TCP source has closed: too many (limit), silent (idle), without the right token (token).",
      "reason"),
  REQUESTS_REFUSED(
      Kind.COUNTER, "penstock.http.unauthorized", "", "HTTP requests without the right token."),
  BATCHES(Kind.COUNTER, "penstock.batches", "batches", "Minibatches trained."),
  STAGE_ROWS(Kind.COUNTER, "penstock.stage.rows", "rows", "Rows that passed the stage.", "stage"),
  STAGE_BYTES(
      Kind.COUNTER, "penstock.stage.bytes", "bytes", "Bytes that passed the stage.", "stage"),
  STAGE_BUSY(Kind.COUNTER, "penstock.stage.busy", "seconds", "Time the stage worked.", "stage"),
  STAGE_BLOCKED(
      Kind.COUNTER,
      "penstock.stage.blocked",
      "seconds",
      "Time the stage had work but no room downstream.",
      "stage"),
  STAGE_STARVED(
      Kind.COUNTER,
      "penstock.stage.starved",
      "seconds",
      "Time the stage had room but no work from upstream.",
      "stage"),
  LOSS(Kind.GAUGE, "penstock.loss", "", "Mean loss of the recent minibatches."),
  PREQUENTIAL(
      Kind.GAUGE,
      "penstock.prequential",
      "",
      "Test-then-train metric, over all rows or the fading window; those that apply to the task.",
      "metric",
      "scope"),
  STEP_TIME(Kind.GAUGE, "penstock.step.time", "seconds", "Time of a training step.", "percentile"),
  FRESHNESS(
      Kind.GAUGE,
      "penstock.freshness",
      "seconds",
      "From a row's event time, or its arrival, to the end of the step that trained on it.",
      "percentile"),
  RING_FILL(Kind.GAUGE, "penstock.ring.fill", "slots", "Minibatches published or being read."),
  RING_CAPACITY(
      Kind.GAUGE, "penstock.ring.capacity", "slots", "Minibatches the ring has room for."),
  POOL_HELD(Kind.GAUGE, "penstock.pool.held", "bytes", "Memory of blocks that somebody owns."),
  POOL_CAPACITY(Kind.GAUGE, "penstock.pool.capacity", "bytes", "Bound on the memory of blocks."),
  BYTES_IN_FLIGHT(
      Kind.GAUGE, "penstock.in.flight", "bytes", "Bytes received but not trained on yet."),
  COPY_BYTES(Kind.COUNTER, "penstock.copy.bytes", "bytes", "Bytes copied to the device."),
  COPY_OVERLAP(
      Kind.GAUGE, "penstock.copy.overlap", "", "Share of copying time hidden behind computing."),
  CHECKPOINTS(Kind.COUNTER, "penstock.checkpoint.written", "", "Checkpoints written."),
  CHECKPOINTS_FAILED(
      Kind.COUNTER,
      "penstock.checkpoint.failed",
      "",
      "Checkpoints that could not be written; training went on."),
  CHECKPOINT_AGE(
      Kind.GAUGE,
      "penstock.checkpoint.age",
      "seconds",
      "Since the newest checkpoint of this process was cut."),
  CHECKPOINT_ROWS(
      Kind.GAUGE, "penstock.checkpoint.rows", "rows", "Rows that the newest checkpoint holds."),
  CHECKPOINT_BYTES(
      Kind.GAUGE, "penstock.checkpoint.size", "bytes", "Size of the newest checkpoint."),
  CHECKPOINT_TIME(
      Kind.GAUGE,
      "penstock.checkpoint.duration",
      "seconds",
      "From the wish for the newest checkpoint until it was on the medium."),
  CHECKPOINT_PAUSE(
      Kind.GAUGE,
      "penstock.checkpoint.pause",
      "seconds",
      "Time that training stood still for the newest checkpoint."),
  PREDICTION_REQUESTS(
      Kind.COUNTER, "penstock.predictions.requests", "", "Requests for predictions."),
  PREDICTIONS_REFUSED(
      Kind.COUNTER,
      "penstock.predictions.refused",
      "",
      "Requests for predictions that were answered with an error."),
  ROWS_PREDICTED(
      Kind.COUNTER,
      "penstock.predictions",
      "rows",
      "Rows in answered requests, those that could not be used counted in."),
  ROWS_NOT_PREDICTED(
      Kind.COUNTER,
      "penstock.predictions.rejected",
      "rows",
      "Rows in answered requests that could not be used."),
  PREDICTION_TIME(
      Kind.GAUGE,
      "penstock.predictions.time",
      "seconds",
      "From the last byte of a request to its answer.",
      "percentile"),
  PREDICTION_AGE(
      Kind.GAUGE,
      "penstock.predictions.age",
      "seconds",
      "Since the weights that answers are made with were the newest; they are renewed when somebody asks."),
  ALLOCATED(
      Kind.GAUGE,
      "penstock.allocated.per.row",
      "bytes",
      "Heap allocated by all threads for each row since the end of warm-up.");

  enum Kind {
    COUNTER,
    GAUGE
  }

  private final Kind kind;
  private final String meterName;
  private final String unit;
  private final String description;

  @SuppressWarnings("ImmutableEnumChecker") // List.of
  private final List<String> tags;

  PenstockMeter(Kind kind, String meterName, String unit, String description, String... tags) {
    this.kind = kind;
    this.meterName = meterName;
    this.unit = unit;
    this.description = description;
    this.tags = List.of(tags);
  }

  Kind kind() {
    return kind;
  }

  /** Dotted, as Micrometer has it. */
  String meterName() {
    return meterName;
  }

  /** Base unit; empty for a pure number. */
  String unit() {
    return unit;
  }

  String description() {
    return description;
  }

  /** Keys of the tags. */
  List<String> tags() {
    return tags;
  }

  /** The page on meters in Markdown. */
  static String page() {
    StringBuilder page =
        new StringBuilder(
            """
            # Meters

            Made from `PenstockMeter` by its test; change it there. Prometheus reads them at `/metrics`, with `_` for `.`, the unit
            at the end of the name and `_total` behind counters.

            | meter | kind | unit | tags | meaning |
            |---|---|---|---|---|
            """);
    for (PenstockMeter meter : values()) {
      page.append(
          "| `%s` | %s | %s | %s | %s |\n"
              .formatted(
                  meter.meterName,
                  meter.kind.name().toLowerCase(Locale.ROOT),
                  meter.unit.isEmpty() ? "–" : meter.unit,
                  meter.tags.isEmpty() ? "–" : "`" + String.join("`, `", meter.tags) + "`",
                  meter.description));
    }
    return page.toString();
  }
}
