package io.penstock.app.sample;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.sample.InferredSchema.LeftOut;
import io.penstock.config.Config;
import io.penstock.config.FieldConfig;
import io.penstock.config.FieldConfig.Missing;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaInferenceTest {
  private static final int ROWS = 120;

  private @TempDir Path folder;

  /** What a made-up column is; how its values are drawn; what it must be taken for. */
  private enum Made {
    DECIMAL,
    INTEGER,
    FLAG,
    TRUTH,
    CATEGORY,
    IDENTIFIER,
    CONSTANT,
    COUNTER,
    EMPTY;

    String value(int row, SplittableRandom random, List<String> words) {
      return switch (this) {
        case DECIMAL -> String.format(Locale.ROOT, "%.3f", random.nextDouble(-50, 50));
        case INTEGER -> Integer.toString(random.nextInt(3, 40));
        case FLAG -> row < 2 ? Integer.toString(row) : Integer.toString(random.nextInt(2));
        case TRUTH -> row % 3 == 0 ? "true" : "False";
        case CATEGORY -> words.get(row < words.size() ? row : random.nextInt(words.size()));
        case IDENTIFIER -> "id" + row + words.getFirst();
        case CONSTANT -> words.getFirst();
        case COUNTER -> Integer.toString(row + 1000);
        case EMPTY -> "";
      };
    }

    boolean isLearntFrom() {
      return compareTo(CATEGORY) <= 0;
    }

    FieldType type() {
      return switch (this) {
        case DECIMAL, INTEGER -> FieldType.NUMBER;
        case FLAG, TRUTH -> FieldType.FLAG;
        default -> FieldType.CATEGORY;
      };
    }
  }

  @Test
  void shouldWriteADraftOfAnySampleThatIsReadAsWhatTheSampleIs() throws IOException {
    for (int seed = 0; seed < 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      Map<String, Made> columns = columns(random);
      Set<String> gaps =
          columns.keySet().stream().filter(_ -> random.nextInt(4) == 0).collect(Collectors.toSet());
      char delimiter = ",;\t|".charAt(random.nextInt(4));
      Path file = write(columns, gaps, delimiter, random);

      Sample sample = Sample.sniff(file, "the label", 1_000);
      InferredSchema schema = SchemaInference.fields(sample, List.of("the label"));
      String yaml =
          ConfigDraft.of(
              sample,
              LabelInference.of(sample, "the label", null),
              schema,
              "run",
              ConfigDraft.Source.FILE);
      Config config = Config.parse(yaml);

      assertThat(sample.format())
          .as("seed %d", seed)
          .isEqualTo(new Sample.Format.Csv(delimiter, true, List.of()));
      Map<String, FieldType> expected = new LinkedHashMap<>();
      columns.forEach(
          (name, made) -> {
            if (made.isLearntFrom()) {
              expected.put(name, made.type());
            }
          });
      assertThat(config.schema().types()).as("seed %d:%n%s", seed, yaml).isEqualTo(expected);
      assertThat(config.schema().label().classes()).containsExactly("a, b", "none");
      assertThat(schema.leftOut())
          .extracting(LeftOut::name)
          .as("seed %d", seed)
          .containsExactlyElementsOf(
              columns.keySet().stream().filter(name -> !expected.containsKey(name)).toList());
    }
  }

  private static Map<String, Made> columns(SplittableRandom random) {
    Map<String, Made> columns = new LinkedHashMap<>();
    columns.put("certain", Made.DECIMAL);
    int count = random.nextInt(1, 12);
    while (columns.size() < count) {
      columns.put(text(random), Made.values()[random.nextInt(Made.values().length)]);
    }
    return columns;
  }

  /** Any name or word, with what means something to CSV or YAML, but no space around it. */
  private static String text(SplittableRandom random) {
    String signs = "abcXYZ019 _-.,;|\"':#{}[]&!%@`~\\éß\u20ac\uD83D\uDE00";
    StringBuilder text = new StringBuilder("x");
    for (int i = random.nextInt(6); i > 0; i--) {
      int at = random.nextInt(signs.codePointCount(0, signs.length()));
      text.appendCodePoint(signs.codePointAt(signs.offsetByCodePoints(0, at)));
    }
    return text.append(random.nextInt(1000)).toString();
  }

  private Path write(
      Map<String, Made> columns, Set<String> gaps, char delimiter, SplittableRandom random)
      throws IOException {
    Map<String, List<String>> words = new LinkedHashMap<>();
    for (String name : columns.keySet()) {
      Set<String> some = new LinkedHashSet<>();
      int count = random.nextInt(2, 20);
      while (some.size() < count) {
        some.add(text(random));
      }
      words.put(name, List.copyOf(some));
    }
    List<String> lines = new ArrayList<>();
    List<String> names = new ArrayList<>(columns.keySet());
    names.add("the label");
    lines.add(row(names, delimiter));
    for (int row = 0; row < ROWS; row++) {
      List<String> values = new ArrayList<>();
      for (Map.Entry<String, Made> column : columns.entrySet()) {
        boolean gap =
            gaps.contains(column.getKey()) && column.getValue().isLearntFrom() && row % 11 == 5;
        String value =
            column.getValue().value(row, random, List.copyOf(words.get(column.getKey())));
        values.add(gap ? "" : value);
      }
      values.add(row % 3 == 0 ? "none" : "a, b");
      lines.add(row(values, delimiter));
    }
    return Files.write(folder.resolve("sample.csv"), lines);
  }

  private static String row(List<String> values, char delimiter) {
    return values.stream()
        .map(
            value ->
                value.indexOf(delimiter) >= 0 || value.indexOf('"') >= 0
                    ? '"' + value.replace("\"", "\"\"") + '"'
                    : value)
        .collect(Collectors.joining(String.valueOf(delimiter)));
  }

  @Test
  void shouldTellClassesFromNumbersByTheirShareOfDifferentValues() throws IOException {
    assertThat(label(i -> i % 7, null).count()).as("0 to 6").isEqualTo(7);
    assertThat(label(i -> i % 7 + 1, null).count()).as("1 to 7").isEqualTo(7);
    assertThat(label(i -> i % 30, null).type()).as("4 rows each").isEqualTo(LabelType.NUMBER);
    assertThat(label(i -> i % 30, LabelType.CLASS).count()).isEqualTo(30);
    assertThat(label(i -> i % 7 + 2, null).type()).as("2 to 8").isEqualTo(LabelType.NUMBER);
    assertThat(label(i -> i % 2 * 2 - 1, null).classes()).containsExactly("-1", "1");
    assertThat(label(i -> i % 7, LabelType.NUMBER).type()).isEqualTo(LabelType.NUMBER);
    assertThat(label(i -> i * 7 % 3 == 0 ? 1 : 0, null).count()).isEqualTo(2);
  }

  private LabelConfig label(IntUnaryOperator value, @Nullable LabelType type) throws IOException {
    List<String> lines = new ArrayList<>(List.of("x,y"));
    for (int i = 0; i < ROWS; i++) {
      lines.add(i % 13 + "," + value.applyAsInt(i));
    }
    Sample sample = Sample.sniff(Files.write(folder.resolve("l.csv"), lines), "y", 1_000);
    return LabelInference.of(sample, "y", type).config();
  }

  @Test
  void shouldLookIntoNestedJson() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      lines.add(
          "{\"user\": {\"age\": %d, \"vip\": %s, \"a.b\": {\"c\": \"%s\"}}, \"at\": [1, 2.5], \"tags\": [%s]%s, \"ok\": %s}"
              .formatted(
                  i % 50,
                  i % 2 == 0,
                  "w" + i % 4,
                  i % 3 == 0 ? "1" : "1, 2",
                  i % 10 == 0 ? "" : ", \"e\": 2.5" + i,
                  i % 3 == 0));
    }
    Sample sample = Sample.sniff(Files.write(folder.resolve("s.ndjson"), lines), "ok", 1_000);

    InferredSchema schema = SchemaInference.fields(sample, List.of("ok"));

    assertThat(sample.format()).isEqualTo(new Sample.Format.Json(true));
    assertThat(schema.configured())
        .isEqualTo(
            Map.of(
                "user.age", FieldConfig.of(FieldType.NUMBER),
                "user.vip", FieldConfig.of(FieldType.FLAG),
                "user[\"a.b\"].c", FieldConfig.of(FieldType.CATEGORY),
                "e", FieldConfig.of(FieldType.NUMBER),
                "at", new FieldConfig(FieldType.VECTOR, 2, null, null, Missing.AUTO, null)));
    assertThat(schema.fields()).filteredOn(f -> f.name().equals("e")).allMatch(f -> f.missing());
    assertThat(schema.leftOut())
        .containsExactly(
            new LeftOut("tags", "a list, but not of equally many numbers in every row"));
    assertThat(LabelInference.of(sample, "ok", null).config().classes())
        .containsExactly("false", "true");
  }
}
