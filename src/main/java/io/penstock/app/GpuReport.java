package io.penstock.app;

import io.penstock.app.GpuTargets.Outcome;
import io.penstock.app.GpuTargets.Target;
import io.penstock.trainer.device.StepShape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What came of {@code penstock bench gpu}: as JSON, and as a table for people. */
final class GpuReport {
  /** How a section ended. */
  enum End {
    DONE("done"),
    FAILED("FAILED"),
    CUT_OFF("CUT OFF"),
    NOT_RUN("not run");

    private final String text;

    End(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  /**
   * A section.
   *
   * @param why it did not end well; empty where it did
   * @param lines what it measured, all of it that is known
   */
  record Section(GpuSection section, End end, double seconds, String why, List<JsonNode> lines) {
    Section {
      lines = List.copyOf(lines);
    }
  }

  /**
   * Where it ran.
   *
   * @param commit that was built
   * @param driver NVIDIA's own version
   * @param when in UTC
   */
  record Place(String commit, String driver, String when, String host) {}

  /** The whole in a word. */
  enum Verdict {
    PASSED(ExitCode.OK),
    FAILED(ExitCode.FAILED),
    /** All went well, but on the emulator: nothing of it says anything about a GPU. */
    EMULATOR(ExitCode.EMULATED);

    private final int exitCode;

    Verdict(int exitCode) {
      this.exitCode = exitCode;
    }

    int exitCode() {
      return exitCode;
    }
  }

  private static final String NO_FIGURE =
      "**This ran on the tests' emulator, not on a GPU. No number in it is a figure of a GPU.**";

  private final Place place;
  private final List<Section> sections;
  private final List<JsonNode> lines = new ArrayList<>();
  private final boolean emulated;
  private final List<Target> targets;

  GpuReport(Place place, List<Section> sections) {
    this.place = place;
    this.sections = List.copyOf(sections);
    sections.forEach(section -> lines.addAll(section.lines()));
    emulated = lines.stream().anyMatch(line -> line.path("emulated").asBoolean(false));
    targets = GpuTargets.of(lines, emulated);
  }

  Verdict verdict() {
    boolean failed = sections.stream().anyMatch(s -> s.end() == End.FAILED);
    boolean whole = sections.stream().allMatch(s -> s.end() == End.DONE);
    if (emulated) {
      return failed ? Verdict.FAILED : Verdict.EMULATOR;
    }
    boolean missed = targets.stream().anyMatch(t -> t.outcome() == Outcome.MISSED);
    return whole && !missed && device() != null ? Verdict.PASSED : Verdict.FAILED;
  }

  private @Nullable JsonNode device() {
    return first("device");
  }

  private @Nullable JsonNode first(String what) {
    return lines.stream()
        .filter(line -> GpuTargets.text(line, "what").equals(what))
        .findFirst()
        .orElse(null);
  }

  ObjectNode json() {
    ObjectNode report = JsonNodeFactory.instance.objectNode();
    report.put("verdict", verdict().name().toLowerCase(Locale.ROOT));
    if (emulated) {
      report.put("emulated", true);
      report.put("note", "the tests' emulator, not a GPU: no number here is a figure of a GPU");
    }
    report.put("deviceKind", device() == null ? "none" : emulated ? "emulator" : "gpu");
    report.set("device", device());
    report.put("driver", place.driver());
    report.put("commit", place.commit());
    report.put("when", place.when());
    report.put("host", place.host());
    for (Target target : targets) {
      report
          .withArray("targets")
          .addObject()
          .put("what", target.what())
          .put("goal", target.goal())
          .put("measured", target.measured())
          .put("outcome", target.outcome().name().toLowerCase(Locale.ROOT));
    }
    for (Section section : sections) {
      ObjectNode node = report.withArray("sections").addObject();
      node.put("name", section.section().label());
      node.put("end", section.end().name().toLowerCase(Locale.ROOT));
      node.put("seconds", Math.round(section.seconds() * 10) / 10.0);
      node.put("why", section.why());
      section.lines().forEach(node.withArray("lines")::add);
    }
    return report;
  }

  /** In Markdown. */
  String table() {
    StringBuilder text = new StringBuilder("# penstock bench gpu\n\n");
    if (emulated) {
      text.append(NO_FIGURE).append("\n\n");
    }
    JsonNode device = device();
    row(text, "GPU", device == null ? "none was found" : GpuTargets.text(device, "description"));
    text.append("|---|---|\n");
    row(text, "driver", place.driver());
    row(text, "commit", place.commit());
    row(text, "when", place.when());
    row(text, "host", place.host());
    row(text, "PyTorch", rival());
    row(text, "verdict", verdict().name());
    text.append("\n| section | end | seconds | |\n|---|---|---|---|\n");
    for (Section s : sections) {
      row(text, s.section().what(), s.end().text(), "%.0f".formatted(s.seconds()), s.why());
    }
    text.append("\n| target | goal | measured | |\n|---|---|---|---|\n");
    for (Target t : targets) {
      row(text, t.what(), t.goal(), t.measured(), t.outcome().text());
    }
    grid(text);
    crossover(text);
    return text.toString();
  }

  private String rival() {
    JsonNode rival = first("rival");
    if (rival == null) {
      return "not compared";
    }
    return rival.has("error")
        ? "not compared: " + GpuTargets.text(rival, "error")
        : GpuTargets.text(rival, "peer") + " on " + GpuTargets.text(rival, "device");
  }

  private void grid(StringBuilder text) {
    text.append(
        """

        Microseconds a step; ours with each minibatch copied from its slot (streamed) and on the GPU already (resident), PyTorch's on
        the GPU already. The ratio is PyTorch's over streamed.

        | dims · batch | precision | streamed | resident | PyTorch | ratio |
        |---|---|---|---|---|---|
        """);
    for (JsonNode step : lines) {
      if (GpuTargets.text(step, "what").equals("step")) {
        row(
            text,
            shape(step).toString() + emulator(),
            GpuTargets.text(step, "precision"),
            micros(step, "streamedMicros"),
            micros(step, "residentMicros"),
            micros(step, "torchMicros"),
            step.has("torchMicros")
                ? "%.2f".formatted(GpuTargets.gain(step))
                : GpuTargets.text(step, "error") + GpuTargets.text(step, "torchError"));
      }
    }
  }

  private String emulator() {
    return emulated ? " (emulator)" : "";
  }

  /** Where the GPU passes the processor: rows a second of both, float32. */
  private void crossover(StringBuilder text) {
    Map<StepShape, Double> gpu = new HashMap<>();
    for (JsonNode line : lines) {
      if (GpuTargets.text(line, "what").equals("step")
          && GpuTargets.text(line, "precision").equals("float32")
          && line.has("streamedMicros")) {
        gpu.put(shape(line), GpuTargets.number(line, "streamedMicros"));
      }
    }
    text.append(
        """

        Rows a second, cuda (streamed, float32) and cpu (one thread).

        | dims · batch | cuda | cpu | faster |
        |---|---|---|---|
        """);
    for (JsonNode line : lines) {
      if (GpuTargets.text(line, "what").equals("cpu")) {
        StepShape shape = shape(line);
        double cpu = 1e6 * shape.batch() / GpuTargets.number(line, "stepMicros");
        double cuda = 1e6 * shape.batch() / gpu.getOrDefault(shape, Double.NaN);
        row(
            text,
            shape + emulator(),
            Double.isNaN(cuda) ? "" : Texts.rate(cuda),
            Texts.rate(cpu),
            emulated || Double.isNaN(cuda) ? "" : cuda > cpu ? "cuda" : "cpu");
      }
    }
  }

  private static StepShape shape(JsonNode line) {
    return new StepShape(GpuTargets.dims(line), line.path("batch").asInt());
  }

  private static String micros(JsonNode line, String field) {
    return line.has(field)
        ? String.format(Locale.ROOT, "%.1f", GpuTargets.number(line, field))
        : "";
  }

  private static void row(StringBuilder text, String... cells) {
    text.append("| ").append(String.join(" | ", cells).replace('\n', ' ')).append(" |\n");
  }
}
