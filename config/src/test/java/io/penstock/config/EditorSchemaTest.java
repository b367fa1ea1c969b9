package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.json.JsonMapper;

/** The JSON schema that editors help with: current, and of one mind with the reader. */
class EditorSchemaTest {
  private static final Path HOME = Path.of(System.getProperty("penstock.home"));
  private static final Path FILE = HOME.resolve("config/penstock.schema.json");

  private static final String SMALL =
      """
      source: { file: { path: x.csv, format: { csv: { header: true } } } }
      schema: { label: { field: y, classes: 2 }, fields: { x: number } }
      batch: { size: 8, maxDelay: 20ms }
      model: { mlp: { hidden: [8], activation: relu } }
      optimizer: { adam: { learningRate: 0.1 } }
      """;

  private static String made() {
    return new EditorSchema(new Docs(HOME.resolve("config/src/main/java"))).write();
  }

  @Test
  void shouldBeAsTheRecordsSay() throws IOException {
    if (Boolean.getBoolean("penstock.docs.write")) {
      Files.writeString(FILE, made());
    }

    assertThat(FILE)
        .as(
            "make it anew: ./mvnw -pl config test -Dtest=EditorSchemaTest -Dpenstock.docs.write=true")
        .content()
        .isEqualTo(made());
  }

  @Test
  void shouldBeASchemaItself() {
    Schema meta =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));

    assertThat(meta.validate(made(), InputFormat.JSON)).isEmpty();
  }

  static List<Path> files() throws IOException {
    return ConfigFilesTest.files();
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldTakeWhatComesWithPenstock(Path file) throws IOException {
    assertThat(problems(Files.readString(file))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldTakeWhatIsWrittenWithAllDefaults(Path file) {
    assertThat(problems(ConfigWriter.yaml(ConfigReader.read(file, List.of())))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "size: 8        | size: 1_024",
        "size: 8        | size: 1e3",
        "20ms           | none",
        "20ms           | 1.5s",
        "batch:         | http: none NL batch:",
        "batch:         | http: { port: 0 } NL batch:",
        "batch:         | checkpoint: none NL batch:",
        "batch:         | errors: { maxRate: 2%, lossSpike: none } NL batch:",
        "batch:         | pipeline: { memory: 64 MiB } NL batch:",
        "batch:         | loss: sigmoid NL batch:",
        "batch:         | features: { standardize: { fields: number } } NL batch:",
        "batch:         | features: [ impute: { fields: [x], with: -1 } ] NL batch:",
        "[8]            | 8",
        "{ adam: { learningRate: 0.1 } } | adam",
        "{ adam: { learningRate: 0.1 } } | { adam: }",
        "classes: 2     | classes: [a, b]",
        "x: number | x: { type: number, min: -1, max: 1e3, fill: 0 }",
        "x: number | x: { type: vector, size: 3 }",
        "fields: { x: number } | infer: { rows: 50 }",
        "fields: { x: number } | infer: {}",
        "{ csv: { header: true } } | csv",
      })
  void shouldTakeWhatTheReaderTakes(String from, String to) {
    String yaml = changed(from, to);

    assertThat(catchThrowable(() -> Config.parse(yaml))).as(yaml).isNull();
    assertThat(problems(yaml)).as(yaml).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "size: 8        | sise: 8",
        "size: 8        | size: 0",
        "size: 8        | size: 1.5",
        "size: 8        | size: many",
        "20ms           | 20",
        "20ms           | 20 minutes",
        "relu           | rely",
        "mlp:           | mpl:",
        "{ mlp: { hidden: [8], activation: relu } } | { mlp: {}, softmax: {} }",
        "{ mlp: { hidden: [8], activation: relu } } | {}",
        "[8]            | [8, none]",
        "0.1            | -0.1",
        "0.1            | fast",
        "adam           | adamm",
        "field: y,      | ''",
        "x: number      | x: numbr",
        "x: number      | x: { min: 1 }",
        "x: number      | x: { type: number, least: 1 }",
        "path: x.csv,   | ''",
        "header: true   | header: 'maybe'",
        "batch:         | features: [ standardize: {} ] NL batch:",
        "batch:         | http: { port: 70000 } NL batch:",
        "batch:         | pipeline: { memory: 64XB } NL batch:",
        "batch:         | precision: float64 NL batch:",
        "batch:         | weights: 1 NL batch:",
      })
  void shouldObjectToTypicalMistakesAsTheReaderDoes(String from, String to) {
    String yaml = changed(from, to);

    assertThat(catchThrowable(() -> Config.parse(yaml)))
        .as(yaml)
        .isInstanceOf(ConfigException.class);
    assertThat(problems(yaml)).as(yaml).isNotEmpty();
  }

  private static String changed(String from, String to) {
    assertThat(SMALL).contains(from);
    return SMALL.replaceFirst(
        Pattern.quote(from), Matcher.quoteReplacement(to.replace(" NL ", "\n")));
  }

  private static List<Error> problems(String yaml) {
    Object tree = new Load(LoadSettings.builder().build()).loadFromString(yaml);
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
        .getSchema(made(), InputFormat.JSON)
        .validate(JsonMapper.shared().writeValueAsString(tree), InputFormat.JSON);
  }
}
