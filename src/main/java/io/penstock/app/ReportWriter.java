package io.penstock.app;

import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Saved;
import io.penstock.app.RunSnapshot.Stage;
import io.penstock.trainer.model.Confusion;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.Scores;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The report of a run as JSON. It is written beside its place and moved there whole, so that whoever reads it never sees half
 * of one. Numbers that are not known are null; metrics that do not apply are left out.
 */
final class ReportWriter {
  private final Path file;
  private final Path beside;

  /**
   * @throws StartException where the report could not be written at the end
   */
  ReportWriter(Path file) {
    this.file = file.toAbsolutePath();
    beside = this.file.resolveSibling("." + this.file.getFileName() + ".part");
    if (Files.isDirectory(this.file)) {
      throw new StartException("--report: %s is a folder; name a file".formatted(file));
    }
    try {
      Files.deleteIfExists(beside);
      Files.createFile(beside);
      Files.delete(beside);
    } catch (IOException e) {
      throw new StartException(
          "--report: cannot write %s (%s); name a file in a folder that exists and can be written"
              .formatted(file, Causes.of(e)),
          e);
    }
  }

  /** Writes the report, replacing one that is there. */
  void write(RunSnapshot run) {
    byte[] text =
        (JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build()
                    .writeValueAsString(json(run))
                + "\n")
            .getBytes(StandardCharsets.UTF_8);
    try {
      Files.write(beside, text);
      try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new RunException("--report: cannot write %s (%s)".formatted(file, Causes.of(e)), e);
    }
  }

  static ObjectNode json(RunSnapshot run) {
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("records", run.rows().trained());
    report.put("rejected", run.rows().rejected());
    report.put("skipped", run.rows().skipped());
    report.put("leftOut", run.rows().leftOut());
    report.put("lost", run.rows().lost());
    report.put("notTrained", run.rows().notTrained());
    report.put("batches", run.batches());
    number(report, "seconds", run.seconds());
    number(report, "recordsPerSecond", run.rowsPerSecond());
    ObjectNode prequential = report.putObject("prequential");
    metrics(prequential, run.cumulative());
    metrics(prequential.putObject("window"), run.window());
    report.put("labelDelay", run.labelDelay());
    percentiles(report.putObject("step"), "Micros", run.stepMicros());
    percentiles(report.putObject("freshness"), "Millis", run.freshnessMillis());
    ArrayNode stages = report.putArray("stages");
    for (Stage stage : run.stages()) {
      ObjectNode node = stages.addObject();
      node.put("name", stage.name());
      number(node, "busy", stage.busyShare(run.seconds()));
      number(node, "blocked", stage.blockedShare(run.seconds()));
    }
    report.put("rollbacks", run.setbacks().rollbacks());
    report.put("bottleneck", Bottleneck.of(run).stage());
    ObjectNode copy = report.putObject("copy");
    copy.put("bytes", run.copy().bytes());
    number(copy, "overlap", run.copy().overlap());
    number(report, "allocatedBytesPerRecord", run.memory().allocatedBytesPerRecord());
    ObjectNode ledger = report.putObject("ledger");
    for (LedgerEntry entry : run.outcome().ledger()) {
      ledger.putObject(entry.what()).put("rows", entry.rows()).put("hash", entry.hash());
    }
    Saved saved = run.saved();
    if (saved.file() != null || saved.failed() > 0 || saved.resumedRows() > 0) {
      ObjectNode checkpoint = report.putObject("checkpoint");
      checkpoint.put("resumedRecords", saved.resumedRows());
      checkpoint.put("written", saved.written());
      checkpoint.put("failed", saved.failed());
      checkpoint.put("file", saved.file());
      checkpoint.put("records", saved.rows());
      checkpoint.put("bytes", saved.bytes());
      number(checkpoint, "seconds", saved.seconds());
      number(checkpoint, "pauseMillis", saved.pauseMillis());
      if (saved.failure() != null) {
        checkpoint.put("failure", saved.failure());
      }
    }
    report.put("weightsSha256", run.outcome().weightsSha256());
    report.put("device", run.device());
    report.put("version", Version.TEXT);
    if (run.failure() != null) {
      report.put("failure", run.failure());
    }
    return report;
  }

  /** The model's numbers, then those of the baselines: without a model, these would be reached. */
  static void metrics(ObjectNode node, Metrics metrics) {
    scores(node, metrics.model());
    applicable(node, "aucError", metrics.aucError());
    applicable(node, "prAucError", metrics.prAucError());
    applicable(node, "kappa", metrics.kappa());
    applicable(node, "kappaT", metrics.kappaT());
    baseline(node, "noChange", metrics.noChange());
    baseline(node, metrics.ofClasses() ? "majority" : "mean", metrics.constant());
    Confusion confusion = metrics.confusion();
    if (confusion != null) {
      ArrayNode table = node.putArray("confusion");
      for (int actual = 0; actual < confusion.classes(); actual++) {
        ArrayNode line = table.addArray();
        for (int said = 0; said < confusion.classes(); said++) {
          line.add(confusion.rows(actual, said));
        }
      }
    }
  }

  private static void baseline(ObjectNode node, String name, Scores scores) {
    ObjectNode numbers = JsonNodeFactory.instance.objectNode();
    scores(numbers, scores);
    if (!numbers.isEmpty()) {
      node.set(name, numbers);
    }
  }

  private static void scores(ObjectNode node, Scores scores) {
    applicable(node, "accuracy", scores.accuracy());
    applicable(node, "precision", scores.precision());
    applicable(node, "recall", scores.recall());
    applicable(node, "f1", scores.f1());
    applicable(node, "auc", scores.auc());
    applicable(node, "prAuc", scores.prAuc());
    applicable(node, "calibrationError", scores.calibrationError());
    applicable(node, "logLoss", scores.logLoss());
    applicable(node, "mae", scores.mae());
    applicable(node, "rmse", scores.rmse());
    applicable(node, "r2", scores.r2());
  }

  private static void applicable(ObjectNode node, String name, double value) {
    if (!Double.isNaN(value)) {
      number(node, name, value);
    }
  }

  private static void percentiles(ObjectNode node, String unit, Percentiles percentiles) {
    number(node, "p50" + unit, percentiles.p50());
    number(node, "p99" + unit, percentiles.p99());
  }

  /** JSON has no infinities and no NaN. */
  static void number(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }
}
