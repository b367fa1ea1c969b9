package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.config.SchemaConfig.FieldType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code schema.infer}: found out once, by the first rows, and kept. */
class InferenceTest {
  private @TempDir Path folder;

  private Path rows(int from, int to) throws IOException {
    StringBuilder csv = new StringBuilder("id,x,flag,word,y\n");
    for (int i = from; i < to; i++) {
      csv.append(
          "%d,%s,%d,%s,%d%n".formatted(i, i % 9 == 4 ? "" : i % 17, i % 2, "w" + i % 5, i % 3));
    }
    return Files.writeString(folder.resolve("rows.csv"), csv);
  }

  private String yaml(String schema, String more) {
    return """
        source: { file: { path: "%s" } }
        schema: { label: { field: y, classes: 3 }, %s }
        batch: { size: 8, maxDelay: none }
        model: softmax
        http: none
        %s
        """
        .formatted(folder.resolve("rows.csv"), schema, more);
  }

  @Test
  void shouldFindOutTypesAndAddTheStepsThatTheyNeed() throws IOException {
    rows(0, 300);

    Inference inference =
        Inference.of(
                Config.parse(yaml("infer: {}", "features: [ standardize: { fields: number } ]")))
            .orElseThrow();

    assertThat(inference.config().schema().infer()).isNull();
    assertThat(inference.config().schema().types())
        .isEqualTo(
            Map.of("x", FieldType.NUMBER, "flag", FieldType.FLAG, "word", FieldType.CATEGORY));
    assertThat(inference.config().features())
        .containsExactly(
            new FeatureConfig.Impute(List.of("x"), Imputation.MEAN, 0, 64),
            new FeatureConfig.Standardize(List.of("number"), 64),
            new FeatureConfig.OneHot(
                List.of("word"), List.of("w0", "w1", "w2", "w3", "w4"), 5, 64));
    assertThat(inference.found())
        .isEqualTo(
            "300 rows looked at: 1 number, 1 flag, categories: 1; left out: id (numbers the rows)");
  }

  @Test
  void shouldLookAtNoMoreRowsThanItShall() throws IOException {
    rows(0, 300);

    Inference inference =
        Inference.of(
                Config.parse(
                    yaml("infer: { rows: 4 }, fields: { id: number, word: category }", "")))
            .orElseThrow();

    assertThat(inference.found()).startsWith("4 rows looked at");
    assertThat(inference.config().schema().fields().keySet())
        .as("the named ones first, as they are named")
        .containsExactly("id", "word", "flag");
    assertThat(inference.config().features())
        .as("for a category that it would not have taken for one")
        .containsExactly(new FeatureConfig.OneHot(List.of("word"), List.of(), 16, 64));
  }

  @Test
  void shouldTrainWithWhatIsInferred() throws IOException {
    rows(0, 300);
    Rejected rejected = new Rejected();

    try (Run run = Runs.of(yaml("infer: {}", ""), rejected, 0)) {
      run.start();
      assertThat(Runs.end(run).rows().trained()).isEqualTo(300);
    }
    assertThat(rejected.count()).isZero();
  }

  @Test
  void shouldGoOnWithWhatWasInferredWhateverTheRowsLookLikeNow() throws IOException {
    String config =
        yaml(
            "infer: { rows: 100 }",
            "checkpoint: { directory: \"%s\" }".formatted(folder.resolve("state")));
    rows(0, 200);
    try (Run run = run(config)) {
      run.start();
      assertThat(Runs.end(run).rows().trained()).isEqualTo(200);
    }
    String before = Files.readString(folder.resolve("rows.csv"));
    Files.writeString(folder.resolve("rows.csv"), before.replace(",0,w", ",1,w") + tail());

    try (Run run = run(config)) {
      run.start();
      RunSnapshot end = Runs.end(run);
      assertThat(end.failure()).isNull();
      assertThat(end.rows().trained()).as("with those before").isEqualTo(202);
    }
    String saved = Inspection.of(folder.resolve("state"), "inspect").checkpoint().configuration();
    assertThat(saved).contains("flag: flag", "word: category", "oneHot").doesNotContain("infer");
  }

  private static String tail() {
    return "200,1,1,new,0\n201,,0,w1,2\n";
  }

  private static Run run(String yaml) {
    return new Wiring()
        .run(Config.parse(yaml), new RunOptions(0, Beginning.RESUMED, new Rejected()));
  }

  @Test
  void shouldRefuseToGoOnWithAnotherType() throws IOException {
    String state = "checkpoint: { directory: \"%s\" }".formatted(folder.resolve("state"));
    rows(0, 100);
    try (Run run = run(yaml("infer: {}", state))) {
      run.start();
      Runs.end(run);
    }

    assertThatThrownBy(() -> run(yaml("infer: {}, fields: { flag: number }", state)))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("schema.fields.flag: number, was flag");
  }

  @Test
  void shouldSayWhereItCannotTell() throws IOException {
    Files.writeString(folder.resolve("rows.csv"), "x,y\nNA,1\n3,2\n4,2\nNA,1\n");
    assertThatThrownBy(() -> Inference.of(Config.parse(yaml("infer: {}", ""))))
        .hasMessage(
            "schema.infer: numbers are missing where it says NA; say so: source.file.format.csv.missing: [\"NA\"]");

    Files.delete(folder.resolve("rows.csv"));
    assertThatThrownBy(() -> Inference.of(Config.parse(yaml("infer: {}", ""))))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("schema.infer: cannot read")
        .hasMessageContaining("there is no such file");
  }

  @Test
  void shouldShowInACheckWhatWouldBeInferred() throws IOException {
    rows(0, 50);
    Path file = Files.writeString(folder.resolve("c.yaml"), yaml("infer: {}", ""));
    Capture capture = new Capture();

    assertThat(Penstock.run(new Wiring(), capture.terminal(0), "check", file.toString()))
        .as(capture.out())
        .isZero();

    assertThat(capture.out()).contains("ok       schema.infer: 50 rows looked at: 1 number");
  }
}
