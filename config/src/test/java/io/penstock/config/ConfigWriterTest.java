package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigWriterTest {
  private static final String EVERYTHING =
      """
      source: { file: { path: 'a: b.csv', format: { csv: { header: false, delimiter: ';', missing: ['NA', '-1'] } } } }
      schema:
        label: { field: "9", type: class, classes: [UP, DOWN] }
        weight: w
        fields: { "a*": number, b: flag, "c d": category }
      features:
        - impute: { fields: number, with: -1e-7 }
        - clip: { fields: number, min: -0.5, max: 1e3 }
        - standardize: { fields: number, updateEvery: 3 }
        - oneHot: { values: [x, "1", "true"] }
      batch: { size: 7, maxDelay: 1500us }
      model: { mlp: { hidden: [3, 4], activation: silu } }
      optimizer: { adamW: { learningRate: 1e-4 } }
      checkpoint: { directory: "state/x", every: none, everyRows: 1000, keep: 2 }
      errors: { maxRate: 0.1% }
      http: none
      """;

  static List<Path> examples() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("examples"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void shouldWriteWhatIsReadAsTheSameConfiguration(Path file) {
    requireSame(ConfigReader.read(file, List.of()));
  }

  @Test
  void shouldWriteEveryFormOfASettingSoThatItIsReadAsTheSame() {
    requireSame(Config.parse(EVERYTHING));
    requireSame(
        Config.parse(
            EVERYTHING, "checkpoint=none", "features=[impute: {fields: number}, oneHot: {}]"));
    requireSame(Config.parse(EVERYTHING, "schema.label={field: y, classes: 3}"));
    requireSame(Config.parse(EVERYTHING, "schema.label={field: y, classes: 3, weights: {3: 9}}"));
    requireSame(Config.parse(EVERYTHING, "schema.label.weights={UP: 0.25}"));
    requireSame(
        Config.parse("{source: {tcp: {feed: {generator: {stream: sea}}}}, model: softmax}"));
    requireSame(
        Config.parse(
            """
            source: { generator: { stream: led, noise: 3%, drift: [{ at: 5, to: 3 }, { at: 9, kind: gradual, width: 2, to: 0 }] } }
            model: softmax
            """));
    requireSame(
        Config.parse("{source: {generator: {stream: {rbf: {classes: 4}}}}, model: softmax}"));
  }

  private static void requireSame(Config config) {
    String yaml = ConfigWriter.yaml(config);
    assertThat(Config.parse(yaml)).as(yaml).isEqualTo(config);
    assertThat(ConfigDifference.between(config, Config.parse(yaml))).isEmpty();
  }

  @Test
  void shouldNameWhatHasChangedAndWhetherASavedRunMayGoOn() {
    Config saved = Config.parse(EVERYTHING);
    Config now =
        Config.parse(
            EVERYTHING,
            "optimizer.adamW.learningRate=0.5",
            "http={port: 1}",
            "checkpoint=none",
            "batch.size=8",
            "model.mlp.hidden=[3, 5]",
            "schema.fields.b=number",
            "source.file.path=z");

    assertThat(ConfigDifference.between(saved, now))
        .extracting(ConfigDifference::toString, ConfigDifference::sound)
        .containsExactlyInAnyOrder(
            tuple("source.file.path: z, was a: b.csv", false),
            tuple("schema.fields.b: number, was flag", false),
            tuple("batch.size: 8, was 7", false),
            tuple("model.mlp.hidden[1]: 5, was 4", false),
            tuple("optimizer.adamW.learningRate: 0.5, was 1.0E-4", true),
            tuple(
                "checkpoint: none, was {directory=state/x, every=0s, everyRows=1000, keep=2}",
                true),
            tuple("http.port: 1, was -1", true));
    assertThat(
            ConfigDifference.between(
                saved, Config.parse(EVERYTHING, "optimizer={sgd: {learningRate: 1}}")))
        .extracting(ConfigDifference::toString, ConfigDifference::sound)
        .containsExactly(tuple("optimizer: sgd, was adamW", false));
  }
}
