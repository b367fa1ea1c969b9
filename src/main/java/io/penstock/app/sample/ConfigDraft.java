package io.penstock.app.sample;

import io.penstock.app.sample.InferredSchema.Field;
import io.penstock.app.sample.InferredSchema.LeftOut;
import io.penstock.config.FeatureConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes a configuration for a sample as a person would: what was found, what was decided, and what can be changed. */
public final class ConfigDraft {
  /** Rows from which minibatches of 64, and of 256, are steps enough. */
  private static final int MANY_ROWS = 50_000;

  private static final int VERY_MANY_ROWS = 500_000;

  /** Fewer rows need longer steps. */
  private static final int FEW_ROWS = 5_000;

  /** Steps that a linear model of a number should have to come from 0 to the labels' mean. */
  private static final double STEPS_TO_MEAN = 60;

  private final Sample sample;
  private final InferredLabel label;
  private final InferredSchema schema;
  private final String name;
  private final Source source;
  private final StringBuilder yaml = new StringBuilder();

  /** Where rows will come from. */
  public enum Source {
    /** From the sample itself. */
    FILE,
    /** From senders. */
    TCP
  }

  private ConfigDraft(
      Sample sample, InferredLabel label, InferredSchema schema, String name, Source source) {
    this.sample = sample;
    this.label = label;
    this.schema = schema;
    this.name = name;
    this.source = source;
  }

  /** The configuration in YAML. */
  public static String of(
      Sample sample, InferredLabel label, InferredSchema schema, String name, Source source) {
    ConfigDraft draft = new ConfigDraft(sample, label, schema, name, source);
    draft.head();
    draft.schema();
    draft.features();
    draft.training();
    return draft.yaml.toString();
  }

  private void head() {
    line(
        "# Made by penstock init of %s: %,d rows%s were looked at. It is yours to change; every key is in docs/configuration.md."
            .formatted(
                sample.path().getFileName(),
                sample.rows(),
                sample.whole() ? "" : ", the first ones,"));
    if (sample.uneven() > 0) {
      line(
          "# %,d rows have another number of columns than the header: they will be rejected."
              .formatted(sample.uneven()));
    }
    if (sample.format() instanceof Sample.Format.Json json && !json.lines()) {
      line(
          "# The sample is an array; rows must be an object a line each: jq -c '.[]' SAMPLE > ROWS");
    }
    line("name: " + scalar(name));
    line("source:");
    if (source == Source.FILE) {
      line("  # Live rows come over TCP: tcp: { port: 9000, format: ... } in place of file.");
      line("  file:");
      line("    path: " + scalar(sample.path().toString()));
    } else {
      line(
          "  # Send it rows: ./penstock feed FILE --to tcp://127.0.0.1:9000, or nc 127.0.0.1 9000 < FILE");
      line("  tcp:");
      line("    port: 9000");
    }
    line("    format: " + format());
  }

  private String format() {
    return switch (sample.format()) {
      case Sample.Format.Csv csv -> "{ csv: { " + csv(csv) + " } }";
      case Sample.Format.Json _ -> "{ json: {} }";
    };
  }

  private String csv(Sample.Format.Csv csv) {
    List<String> settings = new ArrayList<>();
    settings.add("header: " + csv.header());
    if (csv.delimiter() != ',') {
      settings.add("delimiter: " + scalar(String.valueOf(csv.delimiter())));
    }
    Set<String> missing = new TreeSet<>(schema.missing());
    missing.addAll(label.missing());
    if (!missing.isEmpty()) {
      settings.add("missing: " + list(List.copyOf(missing)));
    }
    if (!csv.header()) {
      settings.add("columns: " + list(sample.columns().stream().map(ColumnProfile::name).toList()));
    }
    return String.join(", ", settings);
  }

  // Schema

  private void schema() {
    line("schema:");
    LabelConfig config = label.config();
    line(
        commented(
            "  label: { field: %s, type: %s%s }"
                .formatted(
                    scalar(config.field()),
                    config.type().name().toLowerCase(Locale.ROOT),
                    classes(config)),
            label.note()));
    if (!schema.eventTime().isEmpty()) {
      line(
          commented(
              "  eventTime: " + scalar(schema.eventTime()),
              "freshness is measured from it; it is not learnt from"));
    }
    line("  fields:");
    int width = schema.fields().stream().mapToInt(field -> entry(field).length()).max().orElse(0);
    for (Field field : schema.fields()) {
      String entry = entry(field);
      line(commented(entry + " ".repeat(width - entry.length()), field.note()));
    }
    for (LeftOut out : schema.leftOut()) {
      line("    # left out: %s, %s".formatted(shown(out.name()), shown(out.why())));
    }
  }

  private static String entry(Field field) {
    String type = word(field.type());
    return "    %s: %s"
        .formatted(
            scalar(field.name()),
            field.size() > 0 ? "{ type: %s, size: %d }".formatted(type, field.size()) : type);
  }

  private static String word(FieldType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static String classes(LabelConfig label) {
    if (label.count() == 0) {
      return "";
    }
    boolean named = !label.classes().getFirst().isEmpty();
    return ", classes: " + (named ? list(label.classes()) : Integer.toString(label.count()));
  }

  // Features

  private void features() {
    List<String> measured =
        Stream.of(FieldType.NUMBER, FieldType.VECTOR)
            .filter(type -> !schema.of(type).isEmpty())
            .map(ConfigDraft::word)
            .toList();
    List<FeatureConfig> steps = new ArrayList<>(schema.completed(List.of(), schema.configured()));
    if (steps.isEmpty() && measured.isEmpty()) {
      return;
    }
    line("features:");
    boolean imputed = !steps.isEmpty() && steps.getFirst() instanceof FeatureConfig.Impute;
    if (imputed) {
      step(steps.removeFirst());
    }
    if (!measured.isEmpty()) {
      line(
          commented(
              "  - standardize: { fields: %s }".formatted(selected(measured)),
              "to mean 0 and variance 1, as they come"));
    }
    steps.forEach(this::step);
    if (!imputed) {
      line(
          "  # Rows with an empty number are rejected, unless: - impute: { fields: number, with: mean }");
    }
  }

  private void step(FeatureConfig step) {
    line(
        switch (step) {
          case FeatureConfig.Impute impute ->
              commented(
                  "  - impute: { fields: %s, with: mean }".formatted(selected(impute.fields())),
                  "or last, or a number");
          case FeatureConfig.OneHot oneHot when !oneHot.values().isEmpty() ->
              "  - oneHot: { fields: %s, values: %s }"
                  .formatted(selected(oneHot.fields()), list(oneHot.values()));
          case FeatureConfig.OneHot oneHot ->
              commented(
                  "  - oneHot: { fields: %s, capacity: %d }"
                      .formatted(selected(oneHot.fields()), oneHot.capacity()),
                  "the first that come");
          default -> throw new IllegalArgumentException("not a step of a draft: " + step);
        });
  }

  // Training

  private void training() {
    int size = batchSize();
    line(
        source == Source.FILE
            ? commented(
                "batch: { size: %d, maxDelay: none }".formatted(size),
                "cut by count alone, so that runs are equal to the bit")
            : commented(
                "batch: { size: %d, maxDelay: 20ms }".formatted(size),
                "rows wait no longer for a full minibatch"));
    if (label.isClass()) {
      String simple = label.config().count() == 2 ? "logistic" : "softmax";
      line(
          commented(
              "model: { mlp: { hidden: [64], activation: relu } }",
              "the simplest there is: model: " + simple));
      boolean few = sample.whole() && sample.rows() < FEW_ROWS;
      line("optimizer: { adam: { learningRate: %s } }".formatted(few ? "0.01" : "0.003"));
    } else {
      line(commented("model: linear", "more: mlp: { hidden: [64] }"));
      line(
          commented(
              "loss: { huber: { delta: %s } }".formatted(oneDigit(label.deviation())),
              "labels further off pull less; or squared"));
      line(
          commented(
              "optimizer: { adam: { learningRate: %s } }"
                  .formatted(
                      oneDigit(
                          Math.max(label.deviation(), Math.abs(label.mean())) / STEPS_TO_MEAN)),
              "in the label's unit, as the outputs are"));
    }
    String state = scalar("state/" + name);
    String dead = scalar("state/" + name + "/dead.jsonl");
    line(
        commented(
            "errors: { deadLetters: %s, maxRate: 1%% }".formatted(dead),
            "rejected rows, with the reason"));
    line(
        commented(
            "checkpoint: { directory: %s, every: 30s }".formatted(state),
            "started again, the run goes on; --fresh begins anew"));
    line(commented("http: { port: 8080 }", "/metrics, /health; none: without"));
  }

  /** The fewer rows, the fewer of them may be a step. */
  private int batchSize() {
    if (!sample.whole() || sample.rows() >= VERY_MANY_ROWS) {
      return 256;
    }
    return sample.rows() >= MANY_ROWS ? 64 : 16;
  }

  /** A positive number with one digit that counts, as it is written. */
  private static String oneDigit(double value) {
    if (!(value > 0)) {
      return "0.001";
    }
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    double rounded = Math.round(value / power) * power;
    return rounded >= 1 && rounded < 1e9
        ? Long.toString(Math.round(rounded))
        : new BigDecimal(String.format(Locale.ROOT, "%.0e", rounded)).toPlainString();
  }

  // YAML

  private void line(String text) {
    yaml.append(text.stripTrailing()).append('\n');
  }

  private static String commented(String text, String comment) {
    return comment.isEmpty() ? text : text + "   # " + shown(comment);
  }

  /** Without what would end a comment. */
  private static String shown(String text) {
    return text.replaceAll("\\p{Cntrl}|[\\u0085\\u2028\\u2029]", " ");
  }

  private static String selected(List<String> fields) {
    return fields.size() == 1 ? scalar(fields.getFirst()) : list(fields);
  }

  private static String list(List<String> texts) {
    return texts.stream().map(ConfigDraft::scalar).collect(Collectors.joining(", ", "[", "]"));
  }

  /** A text in block or flow, in quotes unless it needs none. */
  static String scalar(String text) {
    boolean plain =
        text.matches("[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
            && !text.matches("(?i)true|false|null|yes|no|on|off|none|y|n");
    if (plain) {
      return text;
    }
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').appendCodePoint(c);
              } else if (c < ' ' || c == 0x7f || (c > 0x7f && !Character.isLetterOrDigit(c))) {
                quoted.append(c > 0xffff ? "\\U%08x".formatted(c) : "\\u%04x".formatted(c));
              } else {
                quoted.appendCodePoint(c);
              }
            });
    return quoted.append('"').toString();
  }
}
