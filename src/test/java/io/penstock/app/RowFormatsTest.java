package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.config.FormatConfig.Csv;
import io.penstock.config.FormatConfig.Json;
import io.penstock.config.FormatConfig.UnknownFields;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowFormatsTest {
  private static final String SCHEMA =
      """
      schema:
        label: { field: y, classes: 2 }
        fields: { x0: number, x1: number }
      model: { softmax: {} }
      """;
  private static final String ORDERED = "{ csv: { header: false, columns: [y, x1, x0] } }";
  private static final String NOTED = "{ csv: { missing: ['?'] } }";

  private static Config config(String... formats) {
    if (formats.length == 1) {
      return Config.parse("source: { file: { path: a, format: " + formats[0] + " } }\n" + SCHEMA);
    }
    StringBuilder yaml = new StringBuilder("sources:\n");
    for (int i = 0; i < formats.length; i++) {
      yaml.append("  s%d: { file: { path: a, format: %s } }%n".formatted(i, formats[i]));
    }
    return Config.parse(yaml + SCHEMA);
  }

  private static RowFormats of(String... formats) {
    return RowFormats.of(config(formats));
  }

  @Test
  void shouldReadCsvAsTheOneSourceDoesAndOfSeveralWithAHeader() {
    assertThat(of(ORDERED).csv())
        .isEqualTo(new Csv(false, ",", List.of("y", "x1", "x0"), List.of()));
    assertThat(of("json").csv()).isEqualTo(Csv.WITH_HEADER);
    assertThat(of(ORDERED, ORDERED).csv()).isEqualTo(Csv.WITH_HEADER);
    assertThat(of(NOTED, "json", NOTED).csv())
        .isEqualTo(new Csv(true, ",", List.of(), List.of("?")));
    assertThat(of(NOTED, ORDERED).csv()).isEqualTo(Csv.WITH_HEADER);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "source: { generator: { stream: sea } }\nmodel: logistic",
        "source: { host: {} }\nmodel: linear"
      })
  void shouldReadCsvWithAHeaderWhereTheSourceMakesItsRowsItself(String yaml) {
    RowFormats formats = RowFormats.of(Config.parse(yaml));
    assertThat(formats).isEqualTo(new RowFormats(Csv.WITH_HEADER, formats.json(), Csv.WITH_HEADER));
    assertThat(formats.json()).isEmpty();
  }

  @Test
  void shouldGoByTheNamesOfFilesAndOtherwiseByTheTraining() {
    Json reject = new Json(UnknownFields.REJECT);
    Json ignore = new Json(UnknownFields.IGNORE);
    RowFormats json = of("{ json: { unknown: reject } }");
    RowFormats csv = of(NOTED);
    for (String name : List.of("a.ndjson", "A.JSONL", "a.csv.json.gz", "a.jsonl.zst")) {
      assertThat(json.ofFile(Path.of("x.csv", name))).isEqualTo(reject);
      assertThat(csv.ofFile(Path.of(name))).isEqualTo(ignore);
    }
    for (String name : List.of("a.csv", "A.CSV.GZ", "a.json.csv.zst")) {
      assertThat(json.ofFile(Path.of("x.json", name))).isEqualTo(Csv.WITH_HEADER);
      assertThat(csv.ofFile(Path.of(name))).isEqualTo(csv.csv());
    }
    for (String name : List.of("rows", "rows.gz", "a.data")) {
      assertThat(json.ofFile(Path.of(name))).isEqualTo(reject);
      assertThat(csv.ofFile(Path.of(name))).isEqualTo(csv.csv());
      assertThat(of("json", NOTED).ofFile(Path.of(name))).isEqualTo(ignore);
    }
  }

  @Test
  void shouldTakeTheSchemasOrderWithoutAHeaderWhereThereAreSeveralSources() throws IOException {
    Config config = config(ORDERED, NOTED);
    List<String> known = List.of("y", "x1", "x0"); // of the first source
    try (FittedModel model = new FittedModel(config, known)) {
      var _ = model.load(TestModels.trained(config, known, 100), 0);
      assertThat(answer(model, "7,3\n", false)).isEqualTo(answer(model, "x1,x0\n3,7\n", null));
      assertThat(answer(model, "7,3\n", false)).isNotEqualTo(answer(model, "3,7\n", false));
    }
    Config one = config(ORDERED);
    try (FittedModel model = new FittedModel(one, known)) {
      var _ = model.load(TestModels.trained(one, known, 100), 0);
      assertThat(answer(model, "3,7\n", null)).isEqualTo(answer(model, "x1,x0\n3,7\n", true));
    }
  }

  private static List<Model.Prediction> answer(
      FittedModel model, String csv, @Nullable Boolean header) throws IOException {
    AnswerWriter.Objects answers = new AnswerWriter.Objects();
    var _ =
        model.answer(
            FittedModel.csv(new ByteArrayInputStream(csv.getBytes(UTF_8)), header), 10, answers);
    assertThat(answers.predictions())
        .hasSize(1)
        .doesNotHaveAnyElementsOfTypes(Model.Prediction.Refused.class);
    return answers.predictions();
  }
}
