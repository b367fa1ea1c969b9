package io.penstock.app;

import io.penstock.app.RunSnapshot.LedgerEntry;
import io.penstock.app.RunSnapshot.Metrics;
import io.penstock.config.ConfigDifference;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.trainer.device.SessionState;
import io.penstock.trainer.model.ParameterLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What differs between two checkpoints, from the one to the other. */
final class CheckpointDifference {
  private static final int VALUE_COLUMNS = 20;

  private final Inspection one;
  private final Inspection other;

  CheckpointDifference(Inspection one, Inspection other) {
    this.one = one;
    this.other = other;
  }

  /**
   * Something that both may have, and that is not the same.
   *
   * @param one a Long, a Double or a text
   * @param other likewise
   */
  private record Change(
      String name, @Nullable Object one, @Nullable Object other, @Nullable Number difference) {}

  /**
   * How far a tensor lies from its counterpart.
   *
   * @param shapes of the one and the other, where they differ or one is not there; then there are no distances
   * @param most largest difference of two values
   * @param relative norm of the difference by that of the one
   */
  private record Distance(String name, String shapes, double most, double relative) {}

  /** All that differs, in lines; no section where nothing does. */
  String text() {
    List<String> lines = new ArrayList<>();
    lines.add("one          " + InspectionPage.title(one));
    lines.add(" ".repeat(13) + one.file());
    lines.add("other        " + InspectionPage.title(other));
    lines.add(" ".repeat(13) + other.file());
    int head = lines.size();
    section(lines, "configuration", configuration());
    section(lines, "rows", rows());
    section(lines, "positions, next row", positions());
    section(lines, "steps", steps());
    section(
        lines,
        "test, then train, all rows",
        metrics(
            Snapshots.metrics(one.evaluation().cumulative()),
            Snapshots.metrics(other.evaluation().cumulative())));
    section(
        lines,
        "test, then train, window",
        metrics(
            Snapshots.metrics(one.evaluation().windowed()),
            Snapshots.metrics(other.evaluation().windowed())));
    features(lines);
    weights(lines);
    if (lines.size() == head) {
      lines.add("");
      lines.add("No difference in configuration, rows, positions, metrics and weights.");
    }
    return String.join("\n", lines);
  }

  private static void section(List<String> lines, String title, List<Change> changes) {
    if (changes.isEmpty()) {
      return;
    }
    lines.add("");
    lines.add(
        String.format(
                Locale.ROOT, "%-30s %20s %20s %16s", title, "one", "other", difference(changes))
            .stripTrailing());
    changes.forEach(change -> lines.addAll(lines(change)));
  }

  /** One line; two where a value is too wide for its column. */
  private static List<String> lines(Change change) {
    String before = shown(change.one());
    String after = shown(change.other());
    if (Math.max(before.length(), after.length()) > VALUE_COLUMNS) {
      return List.of(
          String.format(Locale.ROOT, "%-30s %s", change.name(), before),
          " ".repeat(29) + "→ " + after);
    }
    return List.of(
        String.format(
                Locale.ROOT,
                "%-30s %20s %20s %16s",
                change.name(),
                before,
                after,
                signed(change.difference()))
            .stripTrailing());
  }

  private static String difference(List<Change> changes) {
    return changes.stream().anyMatch(change -> change.difference() != null) ? "difference" : "";
  }

  private static String shown(@Nullable Object value) {
    return switch (value) {
      case null -> "–";
      case Long count -> Texts.count(count);
      case Double metric -> Texts.metric(metric);
      default -> value.toString();
    };
  }

  private static String signed(@Nullable Number difference) {
    return switch (difference) {
      case null -> "";
      case Long rows -> String.format(Locale.ROOT, "%+,d", rows);
      default -> String.format(Locale.ROOT, "%+.4f", difference.doubleValue());
    };
  }

  private List<Change> configuration() {
    return ConfigDifference.between(one.config(), other.config()).stream()
        .map(d -> new Change(d.key(), d.saved(), d.now(), null))
        .toList();
  }

  private List<Change> rows() {
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < one.ledger().size(); i++) {
      LedgerEntry before = one.ledger().get(i);
      LedgerEntry after = other.ledger().get(i);
      count(changes, before.what(), before.rows(), after.rows());
      if (before.rows() == after.rows() && !before.hash().equals(after.hash())) {
        changes.add(
            new Change(
                before.what() + ", which",
                before.hash().substring(0, 16) + "…",
                after.hash().substring(0, 16) + "…",
                null));
      }
    }
    count(changes, "waiting", one.waitingRows(), other.waitingRows());
    return changes;
  }

  private List<Change> steps() {
    List<Change> changes = new ArrayList<>();
    count(changes, "applied", one.training().stepsApplied(), other.training().stepsApplied());
    count(changes, "skipped", one.training().stepsSkipped(), other.training().stepsSkipped());
    return changes;
  }

  private static void count(List<Change> changes, String name, long before, long after) {
    if (before != after) {
      changes.add(new Change(name, before, after, after - before));
    }
  }

  private List<Change> positions() {
    Map<String, Long> before = rowsByPartition(one);
    Map<String, Long> after = rowsByPartition(other);
    Map<String, Long> all = new LinkedHashMap<>(before);
    all.putAll(after);
    List<Change> changes = new ArrayList<>();
    for (String partition : all.keySet()) {
      Long from = before.get(partition);
      Long to = after.get(partition);
      if (!Objects.equals(from, to)) {
        changes.add(
            new Change(
                partition, from, to, from == null || to == null ? null : Long.valueOf(to - from)));
      }
    }
    return changes;
  }

  private static Map<String, Long> rowsByPartition(Inspection of) {
    return of.positions().stream()
        .collect(
            Collectors.toMap(
                cursor -> "%s, partition %d".formatted(of.source(cursor), cursor.partition()),
                PartitionCursor::nextRow,
                Math::max,
                LinkedHashMap::new));
  }

  private static List<Change> metrics(Metrics before, Metrics after) {
    List<Change> changes = new ArrayList<>();
    for (Summary.Metric metric : Summary.METRICS) {
      double from = metric.value().applyAsDouble(before);
      double to = metric.value().applyAsDouble(after);
      if (Double.compare(from, to) != 0) {
        double more = to - from;
        changes.add(
            new Change(metric.name(), from, to, Double.isNaN(more) ? null : Double.valueOf(more)));
      }
    }
    return changes;
  }

  private void features(List<String> lines) {
    TreeSet<String> before = new TreeSet<>(one.checkpoint().features());
    TreeSet<String> after = new TreeSet<>(other.checkpoint().features());
    List<String> gone = before.stream().filter(name -> !after.contains(name)).toList();
    List<String> come = after.stream().filter(name -> !before.contains(name)).toList();
    if (!gone.isEmpty() || !come.isEmpty()) {
      lines.add("");
    }
    if (!gone.isEmpty()) {
      lines.addAll(InspectionPage.wrapped("features     ", "only in the one: ", gone));
    }
    if (!come.isEmpty()) {
      lines.addAll(InspectionPage.wrapped("features     ", "only in the other: ", come));
    }
  }

  private void weights(List<String> lines) {
    if (one.weightsSha256().equals(other.weightsSha256())) {
      return;
    }
    lines.add("");
    lines.add(
        String.format(Locale.ROOT, "%-30s %20s %20s", "weights", "most apart", "relative norm"));
    for (Distance distance : distances()) {
      lines.add(
          distance.shapes().isEmpty()
              ? String.format(
                  Locale.ROOT,
                  "%-30s %20s %20s",
                  distance.name(),
                  InspectionPage.number(distance.most()),
                  InspectionPage.number(distance.relative()))
              : String.format(Locale.ROOT, "%-30s %41s", distance.name(), distance.shapes()));
    }
  }

  private List<Distance> distances() {
    Map<String, ParameterLayout.Tensor> before = tensors(one);
    Map<String, ParameterLayout.Tensor> after = tensors(other);
    Map<String, ParameterLayout.Tensor> all = new LinkedHashMap<>(before);
    after.forEach(all::putIfAbsent);
    return all.keySet().stream()
        .map(name -> distance(name, before.get(name), after.get(name)))
        .toList();
  }

  private static Map<String, ParameterLayout.Tensor> tensors(Inspection of) {
    return of.plan().program().parameters().tensors().stream()
        .collect(
            Collectors.toMap(
                ParameterLayout.Tensor::name,
                Function.identity(),
                (first, _) -> first,
                LinkedHashMap::new));
  }

  private Distance distance(
      String name,
      ParameterLayout.@Nullable Tensor before,
      ParameterLayout.@Nullable Tensor after) {
    if (before == null
        || after == null
        || before.rows() != after.rows()
        || before.columns() != after.columns()) {
      return new Distance(name, shape(before) + " → " + shape(after), Double.NaN, Double.NaN);
    }
    float[] from = one.state().floats(SessionState.PARAMETERS + name);
    float[] to = other.state().floats(SessionState.PARAMETERS + name);
    double most = 0;
    double squares = 0;
    double norm = 0;
    for (int i = 0; i < from.length; i++) {
      double apart = (double) to[i] - from[i];
      most = Math.max(most, Math.abs(apart));
      squares += apart * apart;
      norm += (double) from[i] * from[i];
    }
    return new Distance(name, "", most, squares == 0 ? 0 : Math.sqrt(squares / norm));
  }

  private static String shape(ParameterLayout.@Nullable Tensor tensor) {
    return tensor == null
        ? "none"
        : tensor.shape().stream().map(String::valueOf).collect(Collectors.joining(" × "));
  }

  /** The same for programs. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("one", InspectionPage.identity(one).put("weightsSha256", one.weightsSha256()));
    json.set("other", InspectionPage.identity(other).put("weightsSha256", other.weightsSha256()));
    ArrayNode configuration = json.putArray("configuration");
    for (ConfigDifference difference : ConfigDifference.between(one.config(), other.config())) {
      configuration
          .addObject()
          .put("key", difference.key())
          .put("one", difference.saved())
          .put("other", difference.now())
          .put("mayChange", difference.sound());
    }
    add(json.putArray("rows"), rows());
    add(json.putArray("positions"), positions());
    add(json.putArray("steps"), steps());
    ObjectNode prequential = json.putObject("prequential");
    prequential.set("one", InspectionPage.metrics(one));
    prequential.set("other", InspectionPage.metrics(other));
    ArrayNode weights = json.putArray("weights");
    for (Distance distance : distances()) {
      ObjectNode node = weights.addObject().put("name", distance.name());
      if (distance.shapes().isEmpty()) {
        ReportWriter.number(node, "mostApart", distance.most());
        ReportWriter.number(node, "relativeNorm", distance.relative());
      } else {
        node.put("shapes", distance.shapes());
      }
    }
    return json;
  }

  private static void add(ArrayNode array, List<Change> changes) {
    for (Change change : changes) {
      ObjectNode node = array.addObject().put("name", change.name());
      put(node, "one", change.one());
      put(node, "other", change.other());
    }
  }

  private static void put(ObjectNode node, String name, @Nullable Object value) {
    switch (value) {
      case null -> node.putNull(name);
      case Long count -> node.put(name, count);
      default -> node.put(name, value.toString());
    }
  }
}
