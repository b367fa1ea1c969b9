package io.penstock.app;

import io.penstock.app.Inspection.Tensor;
import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.config.ConfigWriter;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.trainer.device.SessionState;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A checkpoint's contents for people, on a hundred columns, and for programs. */
final class InspectionPage {
  private static final int COLUMNS = 100;
  private static final int MOST_LINES = 5;
  private static final int MOST_PARTITIONS = 8;
  private static final String MARGIN = " ".repeat(13);
  private static final DateTimeFormatter MOMENT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** Parts of a checkpoint that have lines of their own. */
  private static final Set<String> SHOWN =
      Set.of(
          "assembler",
          "guard",
          "leaveOut",
          "leaveOutPassed",
          "ledger",
          "model",
          "operators",
          "optimizer",
          "positions",
          "training");

  /** Lines of the ledger that only rollbacks lead to. */
  private static final Set<String> RARE = Set.of("leftOut", "lost");

  private final Inspection of;

  InspectionPage(Inspection of) {
    this.of = of;
  }

  /** All of it, in lines. */
  String text() {
    List<String> lines = new ArrayList<>();
    lines.add(title(of));
    lines.add("file         %s, %s".formatted(of.file(), Texts.bytes(of.bytes())));
    lines.add("weights      sha256 " + of.weightsSha256());
    lines.add("");
    lines.addAll(rows());
    lines.addAll(positions());
    lines.add(
        "steps        %s applied, %s skipped"
            .formatted(
                Texts.count(of.training().stepsApplied()),
                Texts.count(of.training().stepsSkipped())));
    lines.add(
        "loss         mean %s, spread %s, of the last minibatches"
            .formatted(number(of.training().lossMean()), number(of.training().lossSpread())));
    lines.add("");
    lines.addAll(
        MetricTable.lines(
            of.evaluation().cumulative(),
            of.evaluation().windowed(),
            of.config().evaluation().labelDelay(),
            of.config().schema().label().classes()));
    lines.add("");
    lines.addAll(parameters());
    lines.add("");
    lines.addAll(parts());
    lines.add("");
    lines.add("configuration");
    ConfigWriter.yaml(of.config()).lines().map(line -> "  " + line).forEach(lines::add);
    return String.join("\n", lines);
  }

  /** Which checkpoint it is. */
  static String title(Inspection of) {
    return "Checkpoint %s of run %s, of %s, by Penstock %s"
        .formatted(
            Texts.count(of.checkpoint().number()),
            of.config().name(),
            moment(of.checkpoint().created()),
            of.checkpoint().version());
  }

  private static String moment(Instant instant) {
    return MOMENT.format(instant);
  }

  private List<String> rows() {
    List<String> lines = new ArrayList<>();
    for (LedgerEntry entry : of.ledger()) {
      if (entry.rows() == 0 && RARE.contains(entry.what())) {
        continue;
      }
      lines.add(
          "%-12s %-10s %14s   %s"
              .formatted(
                  lines.isEmpty() ? "rows" : "",
                  entry.what(),
                  Texts.count(entry.rows()),
                  entry.hash()));
    }
    if (of.waitingRows() > 0) {
      lines.add(
          "%s%-10s %14s   of an unfinished minibatch"
              .formatted(MARGIN, "waiting", Texts.count(of.waitingRows())));
    }
    return lines;
  }

  private List<String> positions() {
    List<PartitionCursor> cursors = of.positions();
    if (cursors.isEmpty()) {
      return List.of("positions    none: every partition of %s has ended".formatted(of.sources()));
    }
    List<String> lines = new ArrayList<>();
    for (PartitionCursor cursor : cursors.subList(0, Math.min(MOST_PARTITIONS, cursors.size()))) {
      lines.add(
          "%-12s %s, partition %d: row %s, offset %s"
              .formatted(
                  lines.isEmpty() ? "positions" : "",
                  of.source(cursor),
                  cursor.partition(),
                  Texts.count(cursor.nextRow()),
                  Texts.count(cursor.nextOffset())));
    }
    if (cursors.size() > lines.size()) {
      lines.add(
          "%sand %s more"
              .formatted(MARGIN, Texts.count(cursors.size() - lines.size(), "partition")));
    }
    return lines;
  }

  private List<String> parameters() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%-28s %14s %11s %12s %12s %12s",
            "parameters",
            "shape",
            "size",
            "min",
            "max",
            "norm"));
    long values = 0;
    for (Tensor tensor : of.parameters()) {
      values += tensor.bytes() / Float.BYTES;
      lines.add(
          String.format(
              Locale.ROOT,
              "%-28s %14s %11s %12s %12s %12s%s",
              tensor.name(),
              tensor.shapeText(),
              Texts.bytes(tensor.bytes()),
              number(tensor.min()),
              number(tensor.max()),
              number(tensor.norm()),
              tensor.notFinite() == 0
                  ? ""
                  : "\n  %s not finite".formatted(Texts.count(tensor.notFinite(), "value"))));
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "%-28s %14s %11s",
            "together",
            Texts.count(values),
            Texts.bytes(values * Float.BYTES)));
    return lines;
  }

  /** Four digits, wherever the point is. */
  static String number(double value) {
    return Double.isFinite(value)
        ? value == 0 ? "0" : String.format(Locale.ROOT, "%.4g", value)
        : "–";
  }

  private List<String> parts() {
    Map<String, Long> sizes = of.partBytes();
    List<String> lines = new ArrayList<>();
    lines.add(
        "optimizer    %s, %s"
            .formatted(
                of.config().optimizer().getClass().getSimpleName().toLowerCase(Locale.ROOT),
                Texts.bytes(sizes.getOrDefault("optimizer", 0L))));
    Map<String, Long> operators = of.operatorBytes();
    lines.addAll(
        wrapped(
            "operators    ",
            Texts.bytes(sizes.getOrDefault("operators", 0L)) + (operators.isEmpty() ? "" : ": "),
            operators.entrySet().stream()
                .map(e -> "%s %s".formatted(e.getKey(), Texts.bytes(e.getValue())))
                .toList()));
    Set<String> others = new HashSet<>(sizes.keySet());
    others.removeAll(SHOWN);
    if (!others.isEmpty()) {
      lines.add(
          "also         "
              + others.stream()
                  .sorted()
                  .map(part -> part + " " + Texts.bytes(sizes.getOrDefault(part, 0L)))
                  .collect(Collectors.joining(", ")));
    }
    List<String> features = of.checkpoint().features();
    lines.addAll(wrapped("features     ", Texts.count(features.size()) + ": ", features));
    return lines;
  }

  /** Items one after the other, in a few lines at most. */
  static List<String> wrapped(String label, String before, List<String> items) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(label).append(before);
    for (int i = 0; i < items.size(); i++) {
      String item = items.get(i) + (i + 1 < items.size() ? ", " : "");
      if (line.length() + item.stripTrailing().length() > COLUMNS
          && line.length() > label.length()) {
        lines.add(line.toString().stripTrailing());
        line = new StringBuilder(" ".repeat(label.length()));
        if (lines.size() == MOST_LINES) {
          lines.add(line + "and %s more (--json has all)".formatted(Texts.count(items.size() - i)));
          return lines;
        }
      }
      line.append(item);
    }
    lines.add(line.toString().stripTrailing());
    return lines;
  }

  /** All of it; names as in a run's report where that has them. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.setAll(identity(of));
    json.put("weightsSha256", of.weightsSha256());
    ObjectNode ledger = json.putObject("ledger");
    for (LedgerEntry entry : of.ledger()) {
      ledger.putObject(entry.what()).put("rows", entry.rows()).put("hash", entry.hash());
    }
    json.put("waiting", of.waitingRows());
    ArrayNode positions = json.putArray("positions");
    for (PartitionCursor cursor : of.positions()) {
      positions
          .addObject()
          .put("source", of.source(cursor))
          .put("partition", cursor.partition())
          .put("nextRow", cursor.nextRow())
          .put("nextOffset", cursor.nextOffset());
    }
    json.putObject("steps")
        .put("applied", of.training().stepsApplied())
        .put("skipped", of.training().stepsSkipped());
    ObjectNode loss = json.putObject("loss");
    ReportWriter.number(loss, "mean", of.training().lossMean());
    ReportWriter.number(loss, "spread", of.training().lossSpread());
    json.set("prequential", metrics(of));
    json.put("labelDelay", of.config().evaluation().labelDelay());
    ArrayNode parameters = json.putArray("parameters");
    of.parameters().forEach(tensor -> parameters.add(json(tensor)));
    ObjectNode operators = json.putObject("operatorBytes");
    of.operatorBytes().forEach(operators::put);
    ObjectNode parts = json.putObject("stateBytes");
    of.partBytes().forEach(parts::put);
    json.set("columns", tree(of.checkpoint().columns()));
    json.set("features", tree(of.checkpoint().features()));
    json.set("configuration", tree(ConfigWriter.tree(of.config())));
    return json;
  }

  /** Which checkpoint it is. */
  static ObjectNode identity(Inspection of) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("file", of.file().toString())
        .put("bytes", of.bytes())
        .put("name", of.config().name())
        .put("number", of.checkpoint().number())
        .put("created", of.checkpoint().created().toString())
        .put("version", of.checkpoint().version());
  }

  /** Its metrics, as in a run's report. */
  static ObjectNode metrics(Inspection of) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ReportWriter.metrics(node, of.evaluation().cumulative());
    ReportWriter.metrics(node.putObject("window"), of.evaluation().windowed());
    return node;
  }

  private static ObjectNode json(Tensor tensor) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", tensor.name());
    node.put("tensor", SessionState.PARAMETERS + tensor.name());
    node.set("shape", tree(tensor.shape()));
    node.put("bytes", tensor.bytes());
    ReportWriter.number(node, "min", tensor.min());
    ReportWriter.number(node, "max", tensor.max());
    ReportWriter.number(node, "norm", tensor.norm());
    node.put("notFinite", tensor.notFinite());
    return node;
  }

  private static JsonNode tree(Object value) {
    return JsonMapper.shared().valueToTree(value);
  }
}
