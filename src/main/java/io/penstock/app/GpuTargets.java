package io.penstock.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import tools.jackson.databind.JsonNode;

/** What a GPU of the class of an H100 must reach, held against what was measured. */
final class GpuTargets {
  /** How a target came out. */
  enum Outcome {
    MET("met"),
    MISSED("MISSED"),
    NOT_MEASURED("not measured"),
    /** What was measured was the emulator. */
    EMULATED("emulator: no figure");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  /**
   * A target.
   *
   * @param what is measured
   * @param goal in words
   * @param measured in words; empty where nothing was
   */
  record Target(String what, String goal, String measured, Outcome outcome) {}

  /** Steps shorter than this hide no copy, and need not. */
  private static final double LONG_STEP_MICROS = 200;

  private final List<JsonNode> lines;
  private final boolean emulated;

  private GpuTargets(List<JsonNode> lines, boolean emulated) {
    this.lines = lines;
    this.emulated = emulated;
  }

  /** All targets. */
  static List<Target> of(List<JsonNode> lines, boolean emulated) {
    return new GpuTargets(lines, emulated).all();
  }

  private List<Target> all() {
    List<JsonNode> streams =
        lines("stream").filter(s -> number(s, "residentMicros") >= LONG_STEP_MICROS).toList();
    List<Target> targets = new ArrayList<>();
    targets.add(
        atMost(
            "(a) streamed over resident, steps of 200 µs and more, worst",
            1.03,
            "%.3f",
            worst(streams, s -> number(s, "streamedMicros") / number(s, "residentMicros"), false)));
    targets.add(
        atLeast(
            "(a) copy time hidden behind computing, the same steps, worst",
            0.95,
            "%.3f",
            worst(streams, s -> number(s, "hiddenShare"), true)));
    targets.add(atLeast("(b) slots' copies over a plain copy loop", 0.90, "%.3f", copyBandwidth()));
    targets.add(
        atMost(
            "(c) " + GpuGrid.QUICK + ", float32, µs a step",
            20,
            "%.1f",
            worst(lines("step").filter(GpuTargets::isQuick).toList(), GpuTargets::ours, false)));
    for (String precision : List.of("tf32", "bf16")) {
      targets.add(
          atLeast(
              "(d) cuBLASLt's products alone over the step, " + GpuGrid.HEAVY + ", " + precision,
              0.80,
              "%.3f",
              worst(
                  lines("products").filter(p -> text(p, "precision").equals(precision)).toList(),
                  p -> number(p, "productsMicros") / number(p, "stepMicros"),
                  true)));
    }
    List<JsonNode> compared = lines("step").filter(s -> s.has("torchMicros")).toList();
    long small =
        GpuGrid.steps(false).stream()
            .filter(point -> GpuGrid.isSmall(point.shape().dims()))
            .count();
    targets.add(
        compared(
            "(e) PyTorch's time over ours, the nine small points, worst",
            2,
            compared.stream().filter(GpuTargets::isSmall).toList(),
            small));
    targets.add(
        compared("(e) the same, every point, worst", 0.97, compared, GpuGrid.steps(false).size()));
    soak(targets);
    return targets;
  }

  /** PyTorch's time over ours; ours with the copy of each minibatch, PyTorch's without. */
  static double gain(JsonNode step) {
    return number(step, "torchMicros") / ours(step);
  }

  private static double ours(JsonNode step) {
    return number(step, "streamedMicros");
  }

  private static boolean isQuick(JsonNode step) {
    return text(step, "precision").equals("float32")
        && dims(step).equals(GpuGrid.QUICK.dims())
        && step.path("batch").asInt() == GpuGrid.QUICK.batch();
  }

  private static boolean isSmall(JsonNode step) {
    return GpuGrid.isSmall(dims(step));
  }

  /** Of the largest slot, as copied beside computing, over the plain loop; NaN where one is missing. */
  private double copyBandwidth() {
    double best = Double.NaN;
    for (JsonNode plain : lines("plainCopy").toList()) {
      for (JsonNode s : lines("stream").toList()) {
        if (number(s, "slotBytes") == number(plain, "bytes")) {
          double share =
              1e6
                  * number(s, "slotBytes")
                  / number(s, "copyMicros")
                  / number(plain, "bytesPerSecond");
          best = Double.isNaN(best) ? share : Math.min(best, share);
        }
      }
    }
    return best;
  }

  /** Memory after the first third, when everything has warmed up, against the last. */
  private void soak(List<Target> targets) {
    List<JsonNode> memory = lines("memory").toList();
    if (memory.isEmpty()) {
      return;
    }
    targets.add(flat("GPU memory", memory, "gpuBytes", 1 << 20));
    targets.add(flat("pinned memory", memory, "pinnedBytes", 0));
    targets.add(flat("resident set", memory, "residentBytes", 16 << 20));
  }

  private Target flat(String what, List<JsonNode> memory, String field, long tolerance) {
    int third = memory.size() / 3;
    long before = most(memory.subList(third, Math.max(third + 1, 2 * third)), field);
    long after = most(memory.subList(2 * third, memory.size()), field);
    return new Target(
        "%s in %d s of training, growth from the middle to the last third"
            .formatted(what, memory.size()),
        "≤ " + Texts.bytes(tolerance),
        emulated ? "" : (after < before ? "-" : "") + Texts.bytes(Math.abs(after - before)),
        outcome(after - before <= tolerance));
  }

  private static long most(List<JsonNode> memory, String field) {
    return memory.stream().mapToLong(m -> m.path(field).asLong()).max().orElse(0);
  }

  /** Met only where every point was compared. */
  private Target compared(String what, double goal, List<JsonNode> steps, long points) {
    Target target =
        atLeast(what, goal, "%.2f, " + steps.size() + " of " + points + " points", gains(steps));
    return target.outcome() == Outcome.MET && steps.size() < points
        ? new Target(what, target.goal(), target.measured(), Outcome.NOT_MEASURED)
        : target;
  }

  private static double gains(List<JsonNode> steps) {
    return worst(steps, GpuTargets::gain, true);
  }

  private Target atMost(String what, double goal, String format, double value) {
    return target(what, "≤ " + goal, format, value, value <= goal);
  }

  private Target atLeast(String what, double goal, String format, double value) {
    return target(what, "≥ " + goal, format, value, value >= goal);
  }

  private Target target(String what, String goal, String format, double value, boolean met) {
    if (emulated) {
      return new Target(what, goal, "", Outcome.EMULATED);
    }
    return Double.isNaN(value)
        ? new Target(what, goal, "", Outcome.NOT_MEASURED)
        : new Target(what, goal, String.format(Locale.ROOT, format, value), outcome(met));
  }

  private Outcome outcome(boolean met) {
    return emulated ? Outcome.EMULATED : met ? Outcome.MET : Outcome.MISSED;
  }

  private static double worst(
      List<JsonNode> lines, ToDoubleFunction<JsonNode> value, boolean least) {
    DoubleStream values = lines.stream().mapToDouble(value).filter(v -> !Double.isNaN(v));
    return (least ? values.min() : values.max()).orElse(Double.NaN);
  }

  private java.util.stream.Stream<JsonNode> lines(String what) {
    return lines.stream().filter(line -> text(line, "what").equals(what));
  }

  static String text(JsonNode line, String field) {
    return line.path(field).asString("");
  }

  /** NaN where there is none. */
  static double number(JsonNode line, String field) {
    return line.path(field).asDouble(Double.NaN);
  }

  static List<Integer> dims(JsonNode line) {
    List<Integer> dims = new ArrayList<>();
    line.path("dims").forEach(n -> dims.add(n.asInt()));
    return dims;
  }
}
