package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.InstanceOfAssertFactories.list;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.penstock.config.ConfigException.Problem;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
  /** The design's own example, as far as built. */
  private static final String CLICKS =
      """
      name: clicks
      source:
        tcp:
          port: 9000
          format: { csv: { header: true } }
      schema:
        label: { field: Cover_Type, type: class, classes: 7 }
        weight: importance
        fields:
          Elevation: number
          "Wilderness_Area*": flag
          city: category
      features:
        - standardize: { fields: number }
        - oneHot: { fields: city, capacity: 64 }
      batch: { size: 256, maxDelay: 20ms }
      model: { mlp: { hidden: [64], activation: relu } }
      optimizer: { adam: { learningRate: 0.003 } }
      device: auto
      errors: { deadLetters: state/clicks/dead, maxRate: 1% }
      http: { port: 8080 }
      seed: 42
      """;

  /** A stream and a model: all else by default. */
  private static final String SMALL =
      """
      source: { generator: { stream: sea } }
      model: logistic
      """;

  private static final String NUMBER =
      """
      source: { file: { path: x.csv } }
      schema: { label: { field: y, type: number }, fields: { x: number } }
      model: linear
      """;

  @Test
  void shouldReadTheDesignsExample() {
    Config config = Config.parse(CLICKS);

    assertThat(config.name()).isEqualTo("clicks");
    assertThat(config.source())
        .isInstanceOfSatisfying(
            SourceConfig.Tcp.class,
            tcp -> {
              assertThat(tcp.port()).isEqualTo(9000);
              assertThat(tcp.format().header()).isTrue();
              assertThat(tcp.feed()).isNull();
            });
    assertThat(config.schema().label().classes()).hasSize(7).containsOnly("");
    assertThat(config.schema().weight()).isEqualTo("importance");
    assertThat(config.schema().fields())
        .containsExactly(
            Map.entry("Elevation", FieldConfig.of(FieldType.NUMBER)),
            Map.entry("Wilderness_Area*", FieldConfig.of(FieldType.FLAG)),
            Map.entry("city", FieldConfig.of(FieldType.CATEGORY)));
    assertThat(config.features())
        .containsExactly(
            new FeatureConfig.Standardize(List.of("number"), 64),
            new FeatureConfig.OneHot(List.of("city"), List.of(), 64, 64));
    assertThat(config.batch()).isEqualTo(new Config.BatchConfig(256, Duration.ofMillis(20)));
    assertThat(config.model())
        .isEqualTo(new ModelConfig.Mlp(List.of(64), ModelConfig.Activation.RELU));
    assertThat(config.optimizer()).isEqualTo(new OptimizerConfig.Adam(0.003, 0.9, 0.999, 1e-8, 0));
    assertThat(config.errors())
        .isEqualTo(new Config.ErrorsConfig("state/clicks/dead", 100_000_000, 3, 0.01, 0, 10));
  }

  @Test
  void shouldReadTheDesignsGeneratorAndImplyItsSchema() {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: agrawal, records: 2000000, seed: 3, drift: { at: 1000000, kind: abrupt } } }
            model: logistic
            """);

    assertThat(config.source())
        .isEqualTo(
            new Generator(
                GeneratorStream.AGRAWAL,
                2_000_000,
                3,
                0,
                0,
                List.of(new DriftConfig(1_000_000, DriftKind.ABRUPT, 0, 1))));
    assertThat(config.schema()).isEqualTo(GeneratorSchemas.of(GeneratorStream.AGRAWAL));
    assertThat(config.schema().fields().keySet()).startsWith("salary", "commission", "age");
  }

  @Test
  void shouldSetAKeyOfTheOnlyItemWhereASingleValueStandsForAList() {
    String yaml = "{source: {generator: {stream: sea, drift: {at: 5, to: 3}}}, model: logistic}";

    SourceConfig source = Config.parse(yaml, "source.generator.drift.at=9").source();

    assertThat(source)
        .asInstanceOf(type(Generator.class))
        .extracting(Generator::drift, list(DriftConfig.class))
        .containsExactly(new DriftConfig(9, DriftKind.ABRUPT, 0, 3));
  }

  @Test
  void shouldImplyTheSchemaOfTheHostAndItsNumberToPredict() {
    Config config = Config.parse("source: host\nmodel: linear\n");

    assertThat(config.source()).isEqualTo(new SourceConfig.Host(Duration.ofSeconds(1), 0));
    assertThat(config.schema()).isEqualTo(GeneratorSchemas.ofHost());
    assertThat(config.schema().eventTime()).isEqualTo("time");
    assertThat(problem("{source: {host: {every: 1ms}}, model: linear}").text())
        .isEqualTo("source.host.every must be 10ms to 1h, not 1ms");
  }

  @Test
  void shouldImplyTheSchemaOfWhatTheBuiltInSenderSends() {
    Config config =
        Config.parse(
            """
            source: { tcp: { port: 0, feed: { generator: { stream: sea }, rate: 1000 } } }
            model: logistic
            """);

    assertThat(config.schema()).isEqualTo(GeneratorSchemas.of(GeneratorStream.SEA));
  }

  @Test
  void shouldTakeASchemaForTheBuiltInSenderThatLeavesFieldsOut() {
    String feed = "source: { tcp: { feed: { generator: { stream: sea } } } }\nmodel: logistic\n";
    String schema = "schema: { label: { field: label, classes: 2 }, fields: { %s: number } }\n";

    assertThat(Config.parse(feed + schema.formatted("x1")).schema().fields()).hasSize(1);
    assertThat(problem(feed + schema.formatted("y1")))
        .hasToString(
            "configuration:3:58: schema.fields.y1 must be one of what feed sends: x0, x1, x2");
  }

  @Test
  void shouldRefuseASchemaThatIsNotTheStreams() {
    assertThat(
            problem(SMALL + "schema: { label: { field: y, classes: 2 }, fields: { x: number } }\n")
                .text())
        .startsWith("schema must be left out: the stream has its own");
  }

  @ParameterizedTest
  @CsvSource({
    "batch.size=2_000,       2000",
    "batch.size=1e3,         1000",
    "batch.size=0x10,        'batch.size must be an integer, 1 to 65536, not 0x10'",
    "batch.size=65536,       65536",
    "batch.size=65537,       'batch.size must be 1 to 65536, not 65537'",
    "batch.size=-3,          'batch.size must be 1 to 65536, not -3'",
    "batch.size=2.5,         'batch.size must be an integer, 1 to 65536, not 2.5'",
    "batch.size=_1,          'batch.size must be an integer, 1 to 65536, not _1'",
    "'batch.size=\"8\"',     'batch.size must be an integer, 1 to 65536, not the text \"8\"'",
    "batch.size=99999999999, 'batch.size must be an integer, 1 to 65536, not 99999999999'",
    "batch.size=,            'batch.size must be an integer, 1 to 65536, not empty'",
    "batch.size=[1],         'batch.size must be an integer, 1 to 65536, not a list'",
  })
  void shouldReadIntegersAsPeopleWriteThem(String set, String expected) {
    assertThat(outcome(SMALL, set, config -> config.batch().size())).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "20ms, PT0.02S",
    "1.5s, PT1.5S",
    "2m, PT2M",
    "250us, PT0.00025S",
    "none, PT0S",
    "20, 'batch.maxDelay must be a duration like 20ms, 30s or 5m, 0s to 1h, not 20'",
    "2h, 'batch.maxDelay must be 0s to 1h, not 2h'",
    "-1s, 'batch.maxDelay must be a duration like 20ms, 30s or 5m, 0s to 1h, not -1s'",
  })
  void shouldReadDurationsWithUnits(String value, String expected) {
    assertThat(outcome(SMALL, "batch.maxDelay=" + value, config -> config.batch().maxDelay()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "64MB, 64000000",
    "64MiB, 67108864",
    "1.5MiB, 1572864",
    "2_000_000, 2000000",
    "64 mb, 64000000",
    "64 potatoes, 'pipeline.memory must be a size like 65536, 64KB or 64MiB, 1MB to 1TB, not 64 potatoes'",
    "10, 'pipeline.memory must be 1MB to 1TB, not 10'",
  })
  void shouldReadSizesWithUnits(String value, String expected) {
    assertThat(outcome(SMALL, "pipeline.memory=" + value, config -> config.pipeline().memory()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "1%, 0.01",
    "0.25, 0.25",
    "12.5 %, 0.125",
    "100%, 1.0",
    "101%, 'errors.maxRate must be 0 to 1, not 101%'",
    "some, 'errors.maxRate must be a share like 0.01 or 1%, 0 to 1, not some'",
  })
  void shouldReadSharesAsPercentOrNumber(String value, String expected) {
    assertThat(outcome(SMALL, "errors.maxRate=" + value, config -> config.errors().maxRate()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "sgd: {learningRate: 0}, 'optimizer.sgd.learningRate must be above 0, not 0'",
    "sgd: {learningRate: 1e999}, 'optimizer.sgd.learningRate must be a number, above 0, not 1e999'",
    "sgd: {learningRate: .nan}, 'optimizer.sgd.learningRate must be a number, above 0, not .nan'",
    "adamm, 'optimizer must be one of sgd, momentum, nesterov, adagrad, rmsProp, adam, adamW, not adamm; did you mean adam?'",
    "transformer, 'optimizer must be one of sgd, momentum, nesterov, adagrad, rmsProp, adam, adamW, not transformer'",
    "momentum: {momentum: 1}, 'optimizer.momentum.momentum must be at least 0 and below 1, not 1'",
    "adam: {beta2: -0.1}, 'optimizer.adam.beta2 must be at least 0 and below 1, not -0.1'",
    "adam: {clipNorm: -1}, 'optimizer.adam.clipNorm must be at least 0, not -1'",
    "adam: {epsilon: 0}, 'optimizer.adam.epsilon must be above 0, not 0'",
    "rmsProp: {decay: 1.1}, 'optimizer.rmsProp.decay must be at least 0 and below 1, not 1.1'",
    "adamW: {weightDecay: -1}, 'optimizer.adamW.weightDecay must be at least 0, not -1'",
    "ftrl, 'optimizer ftrl is not built yet; it must be one of sgd, momentum, nesterov, adagrad, rmsProp, adam, adamW'",
  })
  void shouldBoundWhatOptimizersTake(String optimizer, String problem) {
    String yaml = optimizer.contains("{") ? "{" + optimizer + "}" : optimizer;
    assertThat(outcome(SMALL, "optimizer=" + yaml, Config::optimizer)).isEqualTo(problem);
  }

  @ParameterizedTest
  @CsvSource({
    "pipeline.slots=12, 'pipeline.slots must be a power of two, 2 to 1024, not 12'",
    "pipeline.slots=1, 'pipeline.slots must be 2 to 1024, not 1'",
    "http.port=65536, 'http.port must be -1 to 65535, not 65536'",
    "evaluation.window=0, 'evaluation.window must be 2 to 1_000_000_000, not 0'",
    "evaluation.labelDelay=-1, 'evaluation.labelDelay must be 0 to 10_000_000, not -1'",
    "model.mlp.hidden=[64; 0], 'model.mlp.hidden[1] must be 1 to 65536, not 0'",
    "source.generator.concept=4, 'source.generator.concept must be 0 to 3, not 4'",
    "source.generator.drift.at=-1, 'source.generator.drift.at must be at least 0, not -1'",
    "source.generator.noise=2, 'source.generator.noise must be 0 to 1, not 2'",
    "device=tpu, 'device must be auto, cpu, nd4j, cuda or cuda:N, not tpu'",
    "device=cuda:x, 'device must be auto, cpu, nd4j, cuda or cuda:N, not cuda:x'",
    "precision=tf32, 'precision tf32 needs device cuda, not auto'",
    "precision=int8, 'precision must be one of float32, tf32, bf16, not int8'",
    "source.generator.stream=agrawl, 'source.generator.stream must be one of sea, agrawal, hyperplane, rbf, led, friedman, not agrawl; did you mean agrawal?'",
    "source.generator.stream={sea: {features: 3}}, 'source.generator.stream.sea.features is not known; there is nothing to set'",
    "source.generator={stream: {hyperplane: {drifting: 1001}}}, 'source.generator.stream.hyperplane.drifting must be 0 to 1000, not 1001'",
    "source.generator={stream: hyperplane; concept: 1}, 'source.generator.concept must be left out: hyperplane has no concepts to choose from'",
    "source.generator={stream: hyperplane; drift: {at: 5}}, 'source.generator.drift must be left out: hyperplane drifts by its own settings'",
    "source.generator={stream: rbf; noise: 5%}, 'source.generator.noise must be left out: rbf has none'",
    "source.generator={stream: led; concept: 8}, 'source.generator.concept must be 0 to 7, not 8'",
    "source.generator={stream: sea; drift: [{at: 5}; {at: 5; to: 2}]}, 'source.generator.drift[1].at must lie behind the drift before, at 5, not 5'",
    "source.generator={stream: sea; drift: [{at: 5}; {at: 6; to: 1}]}, 'source.generator.drift[1].to must be another concept, not 1 again'",
  })
  void shouldNameKeyRuleAndValue(String set, String problem) {
    String override = set.replace(';', ',');
    assertThat(outcome(SMALL, override, config -> config)).isEqualTo(problem.replace("\"\"", "\""));
  }

  @ParameterizedTest
  @CsvSource({
    "logistic, auto, 'model logistic needs a label that is a class of 2, but schema.label is a number'",
    "softmax, auto, 'model softmax needs a label that is a class, but schema.label is a number'",
    "linear, softmax, 'loss softmax needs a label that is a class, but schema.label is a number'",
    "linear, sigmoid, 'loss sigmoid needs a label that is a class of 2, but schema.label is a number'",
    "linear, '{huber: {delta: 0}}', 'loss.huber.delta must be above 0, not 0'",
    "linear, '{quantile: {tau: 1}}', 'loss.quantile.tau must be above 0 and below 1, not 1'",
    "linear, quantile, 'Quantile[tau=0.5]'",
    "mlp, huber, 'Huber[delta=1.0]'",
  })
  void shouldFitModelAndLossToANumber(String model, String loss, String expected) {
    String yaml = NUMBER.replace("model: linear", "model: " + model + "\nloss: " + loss);
    assertThat(outcome(yaml, "seed=1", Config::loss)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "linear, auto, 'model linear needs a label that is a number, but schema.label is a class of 2'",
    "logistic, softmax, 'loss softmax needs model softmax or mlp, not logistic'",
    "softmax, sigmoid, 'loss sigmoid needs model logistic or mlp, not softmax'",
    "mlp, squared, 'loss squared needs a label that is a number, but schema.label is a class of 2'",
    "mlp, sigmoid, 'Sigmoid[]'",
    "mlp, softmax, 'Softmax[]'",
  })
  void shouldFitModelAndLossToAClass(String model, String loss, String expected) {
    String yaml = SMALL.replace("logistic", model + "\nloss: " + loss);
    assertThat(outcome(yaml, "seed=1", Config::loss)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 'schema.label.classes must be 2 to 65536, not 1'",
    "0, 'schema.label.classes must be 2 to 65536, not 0'",
    "[UP], 'schema.label.classes must be 2 to 65536 names (or a number), not UP'",
    "'[UP, UP]', 'schema.label.classes[1] must be a name of its own, not \"UP\"'",
    "[], 'schema.label.classes is required for a class: how many, or a list of their names'",
    "'[DOWN, UP]', '[DOWN, UP]'",
    "3, '[, , ]'",
  })
  void shouldTakeACountOfClassesOrTheirNames(String classes, String expected) {
    assertThat(
            outcome(
                NUMBER.replace("model: linear", "model: mlp"),
                "schema.label={field: y, classes: " + classes + "}",
                config -> config.schema().label().classes()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "'[DOWN, UP], weights: {UP: 20}', '[1.0, 20.0]'",
    "'[DOWN, UP]', '[]'",
    "'3, weights: {1: 0.5, 0: 2}', '[2.0, 0.5, 1.0]'",
    "'3, weights: {3: 2}', '[2.0, 1.0, 1.0]'",
    "'3, weights: {3: 2, 0: 2}', 'schema.label.weights.3 must be left out where 0 is given: both are the first class'",
    "'3, weights: {4: 2}', 'schema.label.weights.4 must be one of the classes, an integer up to 3'",
    "'[DOWN, UP], weights: {UPP: 2}', 'schema.label.weights.UPP must be one of the classes, DOWN, UP; did you mean UP?'",
    "'[DOWN, UP], weights: {UP: 0}', 'schema.label.weights.UP must be from 0.000001 to 1000000, not 0.0'",
    "'[DOWN, UP], weights: {UP: many}', 'schema.label.weights.UP must be a number, not many'",
    "'[DOWN, UP], weights: balanced', 'schema.label.weights must be a map of names, each with a number, not balanced'",
  })
  void shouldWeighClassesByName(String classes, String expected) {
    assertThat(
            outcome(
                NUMBER.replace("model: linear", "model: mlp"),
                "schema.label={field: y, classes: " + classes + "}",
                config -> config.schema().label().weights()))
        .isEqualTo(expected);
  }

  @Test
  void shouldReadWhatStandsInForMissingValues() {
    assertThat(
            outcome(
                NUMBER,
                "features=[{impute: {fields: x}}, {impute: {fields: number, with: last}}, {impute: {fields: x*, with: -1.5}}]",
                Config::features))
        .isEqualTo(
            List.of(
                    new FeatureConfig.Impute(List.of("x"), Imputation.MEAN, 0, 64),
                    new FeatureConfig.Impute(List.of("number"), Imputation.LAST, 0, 64),
                    new FeatureConfig.Impute(List.of("x*"), Imputation.CONSTANT, -1.5, 64))
                .toString());
    assertThat(outcome(NUMBER, "features=[{impute: {fields: x, with: median}}]", Config::features))
        .isEqualTo("features[0].impute.with must be mean, last or a number, not median");
  }

  @ParameterizedTest
  @CsvSource({
    "'[{oneHot: {values: [a, b], capacity: 2}}]', 'features[0].oneHot.capacity must be left out where values are listed'",
    "'[{oneHot: {values: [a, a]}}]', 'features[0].oneHot.values must name each category once, not [a, a]'",
    "'[{oneHot: {capacity: 0}}]', 'features[0].oneHot.capacity must be 1 to 65536, not 0'",
    "'[{oneHot: {fields: x}}]', 'features[0].oneHot.fields must select categories, but x is a number'",
    "'[{oneHot: {}}, {standardize: {fields: \"*\"}}]', 'features[1].standardize.fields must not select categories, but city is a category'",
    "'[{oneHot: {}}, {standardize: {fields: flag}}]', 'features[1].standardize.fields must select a field of the schema; flag is neither a type that is there nor a field'",
    "'[{oneHot: {}}, {clip: {fields: citty, min: 0, max: 1}}]', 'features[1].clip.fields must select a field of the schema; citty is neither a type that is there nor a field; did you mean city?'",
    "'[{oneHot: {}}, {clip: {fields: x, min: 2, max: 1}}]', 'features[1].clip.max must be at least min, 2.0, not 1.0'",
    "'[{standardize: {fields: x}}]', 'schema.fields.city is a category that no step turns into features; add oneHot: { fields: city } (or hash, or dictionary) to features'",
    "'[{oneHot: {}, clip: {}}]', 'features[0] must be exactly one of standardize, clip, impute, oneHot, lag, hash, dictionary, minMax, log1p, bucketize, cyclical, not oneHot and clip'",
    "'[{oneHot: {}}, {lag: {fields: [x, y], by: [1, 2]}}, {clip: {fields: [x~1, y~2], min: 0, max: 1}}]', '[OneHot[fields=[category], values=[], capacity=64, updateEvery=64], Lag[fields=[x, y], by=[1, 2]], Clip[fields=[x~1, y~2], min=0.0, max=1.0]]'",
    "'[{oneHot: {}}, {lag: {fields: y, by: 0}}]', 'features[1].lag.by must be 1 to 65536, not 0'",
    "'[{oneHot: {}}, {lag: {fields: y, by: [2, 2]}}]', 'features[1].lag.by must be at least one number, each once, not [2, 2]'",
    "'[{oneHot: {}}, {lag: {fields: z}}]', 'features[1].lag.fields must select a field of the schema; z is neither a type that is there nor a field'",
    "'[{oneHot: {}}, {clip: {fields: x~1, min: 0, max: 1}}, {lag: {fields: x}}]', 'features[1].clip.fields must select a field of the schema; x~1 is neither a type that is there nor a field'",
    "'[{oneHot: {}}, {lag: {fields: x}}, {lag: {fields: number}}]', 'features[2].lag must not add x~1, which is there already'",
    "'[{oneHot: {}}, {lag: {fields: city}}]', 'features[1].lag.fields must not select city, which features[0].oneHot has made features of; put this step before that one'",
    "'[{lag: {fields: city}}, {oneHot: {fields: city}}]', 'features[0].lag adds city~1, a category that no step turns into features; add oneHot: { fields: city~1 } (or hash, or dictionary) to features'",
    "'[{lag: {fields: city}}, {oneHot: {}}, {lag: {fields: x}}]', '[Lag[fields=[city], by=[1]], OneHot[fields=[category], values=[], capacity=64, updateEvery=64], Lag[fields=[x], by=[1]]]'",
    "'[{oneHot: {values: [a, b]}}]', '[OneHot[fields=[category], values=[a, b], capacity=2, updateEvery=64]]'",
  })
  void shouldFitStepsToFields(String features, String expected) {
    String yaml = NUMBER.replace("x: number", "x: number, city: category");
    assertThat(outcome(yaml, "features=" + features, Config::features)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "'{fields: y}', 'features[1].lag.by must be more than evaluation.labelDelay, 3 rows, for the label (y), which is not known before; not 1'",
    "'{fields: [x, y], by: [4, 3]}', 'features[1].lag.by must be more than evaluation.labelDelay, 3 rows, for the label (y), which is not known before; not 3'",
    "'{fields: y, by: [4, 9]}', '3'",
    "'{fields: x, by: 1}', '3'",
  })
  void shouldKeepFeaturesFromKnowingLabelsThatEvaluationTakesForUnknown(
      String lag, String expected) {
    String yaml = NUMBER + "evaluation: { labelDelay: 3 }\n";
    assertThat(
            outcome(
                yaml,
                "features=[{standardize: {fields: x}}, {lag: " + lag + "}]",
                config -> config.evaluation().labelDelay()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "'hash: {buckets: 16, signed: true}', 'Hash[fields=[category], buckets=16, signed=true]'",
    "'hash: {}', 'features[0].hash.buckets is required: an integer, 1 to 65536'",
    "'hash: {buckets: 0}', 'features[0].hash.buckets must be 1 to 65536, not 0'",
    "'hash: {fields: x, buckets: 2}', 'features[0].hash.fields must select categories, but x is a number'",
    "'dictionary: {}', 'Dictionary[fields=[category], capacity=64, minCount=2, updateEvery=64]'",
    "'dictionary: {capacity: 70000}', 'features[0].dictionary.capacity must be 1 to 65535, not 70000'",
  })
  void shouldReadStepsForCategories(String step, String expected) {
    String yaml = NUMBER.replace("x: number", "x: number, city: category");
    assertThat(outcome(yaml, "features=[{" + step + "}]", config -> config.features().getFirst()))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "'minMax: {fields: x}', 'MinMax[fields=[x], updateEvery=64]'",
    "'minMax: {fields: x, updateEvery: 0}', 'features[0].minMax.updateEvery must be 1 to 1_000_000, not 0'",
    "'log1p: {fields: number}', 'Log1p[fields=[number]]'",
    "'log1p: {fields: category}', 'features[0].log1p.fields must select a field of the schema; category is neither a type that is there nor a field'",
    "'bucketize: {fields: x, bounds: [-1, 0.5]}', 'Bucketize[fields=[x], bounds=[-1.0, 0.5]]'",
    "'bucketize: {fields: x, bounds: []}', 'features[0].bucketize.bounds must be 1 to 65535 numbers, not 0'",
    "'bucketize: {fields: x, bounds: [1, a]}', 'features[0].bucketize.bounds[1] must be a number, not a'",
    "'bucketize: {fields: x, bounds: [1, 1]}', 'features[0].bucketize.bounds[1] must be above the bound before, 1.0 (as floats), not 1.0'",
    "'bucketize: {fields: x, bounds: [1, 1.00000001]}', 'features[0].bucketize.bounds[1] must be above the bound before, 1.0 (as floats), not 1.00000001'",
    "'cyclical: {fields: x, period: 24}', 'Cyclical[fields=[x], period=24.0, parts=[], zone=UTC]'",
    "'cyclical: {fields: x}', 'features[0].cyclical.period must be above 0 with fields, not null'",
    "'cyclical: {fields: x, period: 0}', 'features[0].cyclical.period must be above 0 with fields, not 0.0'",
    "'cyclical: {}', 'features[0].cyclical.fields must be given with period, or parts instead; neither is there'",
    "'cyclical: {fields: x, parts: [hourOfDay]}', 'features[0].cyclical.fields must be given with period, or parts instead; both are there'",
    "'cyclical: {parts: [hourOfDay], period: 2}', 'features[0].cyclical.period must be left out with parts, which have their own'",
    "'cyclical: {parts: [hourOfDay, hourOfDay]}', 'features[0].cyclical.parts must name each part once'",
    "'cyclical: {parts: hour}', 'features[0].cyclical.parts must be one of secondOfMinute, minuteOfHour, minuteOfDay, hourOfDay, dayOfWeek, dayOfMonth, dayOfYear, monthOfYear, not hour'",
    "'cyclical: {parts: [hourOfDay], zone: Mars}', 'features[0].cyclical.zone must be a zone like UTC, +02:00 or Europe/Oslo, not Mars'",
    "'cyclical: {parts: [hourOfDay]}', 'features[0].cyclical.parts are parts of the row''s time, but there is none; name its field as schema.eventTime'",
    "'bucketize: {fields: x, bounds: 1}}, {minMax: {fields: x}', 'features[1].minMax.fields must not select x, which features[0].bucketize has made features of; put this step before that one'",
    "'bucketize: {fields: x, bounds: 1}}, {minMax: {fields: number}', 'features[1].minMax.fields must select a field of the schema; number is neither a type that is there nor a field'",
  })
  void shouldReadStepsForNumbers(String step, String expected) {
    assertThat(outcome(NUMBER, "features=[{" + step + "}]", config -> config.features().getFirst()))
        .isEqualTo(expected);
  }

  @Test
  void shouldReadPartsOfTheEventTime() {
    String yaml = NUMBER.replace("schema: {", "schema: { eventTime: at,");
    assertThat(yaml).contains("eventTime");
    assertThat(
            outcome(
                yaml, "features=[{cyclical: {parts: [dayOfWeek, hourOfDay]}}]", Config::features))
        .isEqualTo("[Cyclical[fields=[], period=null, parts=[dayOfWeek, hourOfDay], zone=UTC]]");
  }

  @Test
  void shouldLetPassWhatOnlyAHeaderCanTell() {
    String yaml = NUMBER.replace("x: number", "\"W*\": flag, \"c*\": category");

    assertThat(
            outcome(
                yaml,
                "features=[{oneHot: {fields: [c1, \"*y\"]}}, {standardize: {fields: W12}}]",
                config -> config.features().size()))
        .isEqualTo("2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"source.tcp", "http"})
  void shouldListenToTheWorldOnlyWithATokenOrWhenToldThatItIsInsecure(String listener) {
    String yaml =
        """
        source: { tcp: { feed: { generator: { stream: sea } } } }
        model: logistic
        """;
    for (String bind : List.of("0.0.0.0", "192.168.1.7", "example.com", "'::'")) {
      assertThat(outcome(yaml, listener + ".bind=" + bind, config -> config))
          .contains(listener + ".bind must be a loopback address such as 127.0.0.1, not ")
          .contains("token: { file: FILE }", "insecure: true");
      assertThat(Config.parse(yaml, listener + ".bind=" + bind, listener + ".token.file=x").http())
          .isNotNull();
      assertThat(Config.parse(yaml, listener + ".bind=" + bind, listener + ".insecure=true").http())
          .isNotNull();
    }
    for (String bind : List.of("127.0.0.1", "127.1.2.3", "localhost", "'::1'")) {
      assertThat(Config.parse(yaml, listener + ".bind=" + bind).http()).isNotNull();
    }
  }

  @Test
  void shouldSwitchOffWhatNoneSwitchesOff() {
    assertThat(Config.parse(SMALL, "http=none").http().port()).isEqualTo(-1);
    assertThat(Config.parse(SMALL, "errors.deadLetters=none").errors().deadLetters()).isEmpty();
    assertThat(
            Config.parse(SMALL, "errors.deadLettersMaxBytes=none").errors().deadLettersMaxBytes())
        .isZero();
    assertThat(
            Config.parse(
                    "source: { tcp: { feed: none } }\nschema: { label: { field: y, classes: 2 }, fields: { x: flag } }\nmodel: mlp")
                .source())
        .isInstanceOfSatisfying(SourceConfig.Tcp.class, tcp -> assertThat(tcp.feed()).isNull());
  }

  @ParameterizedTest
  @CsvSource({
    "';', ';'",
    "'\"\\t\"', '\t'",
    "ab, 'source.file.format.csv.delimiter must be one ASCII character, neither quote nor line end, not \"ab\"'",
    "'\"é\"', 'source.file.format.csv.delimiter must be one ASCII character, neither quote nor line end, not \"é\"'",
    "'\"\\n\"', 'source.file.format.csv.delimiter must be one ASCII character, neither quote nor line end, not \"\n\"'",
  })
  void shouldTakeOneAsciiCharacterForDelimiter(String delimiter, String expected) {
    assertThat(
            outcome(
                NUMBER,
                "source.file.format.csv.delimiter=" + delimiter,
                config ->
                    ((FormatConfig.Csv)
                            ((SourceConfig.File) Objects.requireNonNull(config.source())).format())
                        .delimiter()))
        .isEqualTo(expected.strip().isEmpty() ? "\t" : expected);
  }

  @Test
  void shouldRefuseADriftThatNeverComes() {
    String drift = "source.generator={stream: sea, records: 10, drift: {at: %s}}";

    assertThat(outcome(SMALL, drift.formatted("10"), config -> config))
        .isEqualTo("source.generator.drift.at must be below the 10 records, not 10");
    assertThat(outcome(SMALL, drift.formatted("9, to: 0"), config -> config))
        .isEqualTo("source.generator.drift.to must be another concept, not 0 again");
    assertThat(outcome(SMALL, drift.formatted("9, kind: gradual"), config -> config))
        .isEqualTo("source.generator.drift.width must be at least 1 row, not 0");
  }

  @Test
  void shouldNameLineAndColumnOfEveryProblemInOneGo() {
    String yaml =
        CLICKS
            .replace("size: 256", "sise: 256")
            .replace("port: 9000", "port: many")
            .replace("Elevation: number", "Elevation: numeric");

    assertThatThrownBy(() -> ConfigReader.parse("config/clicks.yaml", yaml, List.of()))
        .hasMessage(
            """
            config/clicks.yaml:4:5: source.tcp.port must be an integer, 0 to 65535, not many
            config/clicks.yaml:10:5: schema.fields.Elevation must be one of number, flag, category, vector, not numeric; did you mean number?
            config/clicks.yaml:16:10: batch.sise is not known; did you mean size? Allowed: size, maxDelay""");
  }

  @Test
  void shouldSayWhatIsMissing() {
    assertThatThrownBy(() -> ConfigReader.parse("a.yaml", "name: a\nmodel: mlp\n", List.of()))
        .hasMessage(
            """
            a.yaml:1:1: schema is required: a map with label, weight, eventTime, infer, fields""");
    assertThatThrownBy(
            () ->
                ConfigReader.parse(
                    "a.yaml",
                    "schema: { label: { field: y, classes: 2 }, fields: { x: number } }\nmodel: softmax\n",
                    List.of()))
        .hasMessage(
            "a.yaml:1:1: source is required: one of tcp, file, generator, host, or several under sources");
    assertThatThrownBy(
            () ->
                ConfigReader.parse(
                    "a.yaml", SMALL + "batch: {}\nschema:\n  label:\n    type: class\n", List.of()))
        .hasMessage(
            """
            a.yaml:5:3: schema.label.field is required: text""");
  }

  @Test
  void shouldWantFieldsOfASchemaThatDoesNotInferThem() {
    assertThat(problem(NUMBER.replace(", fields: { x: number }", "")))
        .hasToString(
            "configuration:2:1: schema.fields must name at least one field to learn from, as name: number, flag or category (or infer: {} in place of fields)");
    Config inferring = Config.parse(NUMBER.replace("fields: { x: number }", "infer: {}"));
    assertThat(inferring.schema().infer()).isEqualTo(new SchemaConfig.InferConfig(1000));
    assertThat(
            problem(
                NUMBER
                    .replace("fields: { x: number }", "infer: { rows: 10 }")
                    .replace("file: { path: x.csv }", "tcp: {}")))
        .hasToString(
            "configuration:2:46: schema.infer needs source.file, whose first rows can be read ahead; for any other source name the fields, or have penstock init write them by a sample");
  }

  @Test
  void shouldAddWhatIsInferredToTheFieldsThatAreNamed() {
    Config config =
        Config.parse(
            NUMBER.replace(
                "fields: { x: number }", "infer: {}, fields: { 'a*': flag, b: number }"));
    FieldConfig flag = FieldConfig.of(FieldType.FLAG);
    FieldConfig number = FieldConfig.of(FieldType.NUMBER);

    assertThat(config.schema().inferred(Map.of("ab", number, "b", flag, "c", flag)))
        .returns(null, SchemaConfig::infer)
        .returns(Map.of("a*", flag, "b", number, "c", flag), SchemaConfig::fields);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# nothing\n", "\n\n"})
  void shouldRefuseAnEmptyText(String yaml) {
    assertThatThrownBy(() -> ConfigReader.parse("a.yaml", yaml, List.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage("a.yaml: is empty");
  }

  @ParameterizedTest
  @CsvSource({
    "'name: a\n\tseed: 1\n', 2",
    "'name: a\nbatch: {size: 3\nseed: 1\n', 3",
    "'name: \"a\n', 1",
    "'a: 1\n---\nb: 2\n', 2",
  })
  void shouldNameTheLineThatIsNotYaml(String yaml, int line) {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class, () -> ConfigReader.parse("a.yaml", yaml, List.of()));

    assertThat(e.problems()).hasSize(1);
    assertThat(e.problems().getFirst().line()).as(e.getMessage()).isBetween(line, line + 2);
    assertThat(e).hasMessageContaining("is not YAML: ").hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "'seed: 1\nseed: 2\n', 'configuration:4:1: seed is there twice, first in line 3'",
    "'batch: 3\n', 'configuration:3:1: batch must be a map with size, maxDelay, not 3'",
    "'batch: [3]\n', 'configuration:3:1: batch must be a map with size, maxDelay, not a list'",
    "'batch:\nseed: 3\n', 'configuration:3:1: batch must be a map with size, maxDelay, not empty'",
    "'seed: {a: 1}\n', 'configuration:3:1: seed must be an integer, not a map'",
    "'[a]: 1\n', 'configuration:1:1: the configuration has a list for a key; keys are texts'",
    "'checkpoint: {every: 30s}\n', 'configuration:3:1: checkpoint.directory is required: text'",
    "'batch: {}\nunknown: 3\n', 'configuration:4:1: unknown is not known; allowed: name, source,'",
  })
  void shouldExplainWhatIsWrongWithTheFile(String more, String problem) {
    assertThat(problem(SMALL + more).toString()).startsWith(problem);
  }

  private static final String SEVERAL =
      """
      sources:
        web: { tcp: { port: 9001 } }
        app: { tcp: { port: 9002 } }
      schema: { label: { field: y, classes: 2 }, fields: { x: number } }
      model: softmax
      """;

  @Test
  void shouldTakeSeveralSourcesByName() {
    Config config = Config.parse(SEVERAL, "pipeline.shares.web=3");
    assertThat(config.allSources()).containsOnlyKeys("app", "web");
    assertThat(config.allSources().keySet())
        .as("whatever their order")
        .containsExactly("app", "web");
    assertThat(config.pipeline().shares()).isEqualTo(Map.of("web", 3));
    assertThat(Config.parse(ConfigWriter.yaml(config))).isEqualTo(config);
  }

  @Test
  void shouldImplyTheSchemaOfAGeneratorAmongSeveralSources() {
    Config config =
        Config.parse(
            """
            sources:
              synthetic: { generator: { stream: sea } }
              real: { tcp: { port: 9001 } }
            model: softmax
            """);
    assertThat(config.schema()).isEqualTo(GeneratorSchemas.of(GeneratorStream.SEA));
  }

  @ParameterizedTest
  @CsvSource({
    "source.file.path=a.csv, sources must be left out where there is a source",
    "sources.app.tcp.port=9001, 'sources.web.tcp.port must be another one than that of app, not 9001'",
    "pipeline.shares.wep=2, pipeline.shares.wep must name one of the sources; did you mean web?",
    "pipeline.shares.web=0, 'pipeline.shares.web must be 1 to 1000, not 0'",
  })
  void shouldExplainWhatIsWrongWithSeveralSources(String set, String problem) {
    assertThatThrownBy(() -> Config.parse(SEVERAL, set)).hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource({
    "kafka: {}, 'source.kafka is not built yet; allowed: tcp, file, generator, host'",
    "tpc: {}, 'source.tpc is not known; did you mean tcp? Allowed: tcp, file, generator, host'",
    "'tcp: {}, file: {path: x}', 'source must be exactly one of tcp, file, generator, host, not tcp and file'",
    "tcp: {format: {avro: {}}}, 'source.tcp.format.avro is not built yet; allowed: csv, json'",
    "tcp: {tls: x}, 'source.tcp.tls is not built yet; allowed: port, bind, insecure, format, maxLineBytes, maxConnections, idleTimeout, endAfterConnections, feed, acknowledge, token'",
    "'', 'source must be exactly one of tcp, file, generator, host, not none'",
  })
  void shouldExplainWhatIsWrongWithAChoice(String source, String problem) {
    assertThat(problem(SMALL.replace("generator: { stream: sea }", source)).text())
        .isEqualTo(problem);
  }

  @Test
  void shouldBoundNamesToWhatMetersTake() {
    assertThat(outcome(SMALL, "name=a b", Config::name))
        .isEqualTo("name must be letters, digits, '.', '_' and '-', not \"a b\"");
  }

  @ParameterizedTest
  @CsvSource({
    "label: {field: x}, 'must not be learnt from: it is the label, weight or event time', x",
    "weight: y, 'must be another field than the label, not y', weight",
    "eventTime: y, 'must be another field than label and weight, not y', eventTime",
  })
  void shouldGiveEachFieldOnePart(String change, String problem, String key) {
    String set =
        change.startsWith("label") ? "schema.label.field=x" : "schema." + change.replace(": ", "=");
    assertThat(outcome(NUMBER, set, config -> config)).contains(key).endsWith(problem);
  }

  @Test
  void shouldOverrideAnyKey() {
    Config config =
        Config.parse(
            CLICKS,
            "batch.size=32",
            "batch.size=64",
            "http.bind=localhost",
            "evaluation.window=77",
            "features.0.standardize.updateEvery=1",
            "features.1.oneHot={fields: city, values: [Oslo]}",
            "schema.fields.a.b=flag",
            "optimizer.adam.beta1=0.5",
            "name=x-y");

    assertThat(config.batch().size()).isEqualTo(64);
    assertThat(config.http().bind()).isEqualTo("localhost");
    assertThat(config.http().port()).isEqualTo(8080);
    assertThat(config.evaluation().window()).isEqualTo(77);
    assertThat(config.features())
        .containsExactly(
            new FeatureConfig.Standardize(List.of("number"), 1),
            new FeatureConfig.OneHot(List.of("city"), List.of("Oslo"), 1, 64));
    assertThat(config.schema().fields())
        .hasSize(4)
        .containsEntry("a.b", FieldConfig.of(FieldType.FLAG));
    assertThat(config.optimizer()).isEqualTo(new OptimizerConfig.Adam(0.003, 0.5, 0.999, 1e-8, 0));
    assertThat(config.name()).isEqualTo("x-y");
  }

  @Test
  void shouldForgetTheOldChoiceWhereAnOverrideMakesAnother() {
    Config config = Config.parse(CLICKS, "source.file.path=x.csv", "optimizer.sgd.learningRate=1");

    assertThat(config.source())
        .isInstanceOfSatisfying(
            SourceConfig.File.class, file -> assertThat(file.path()).isEqualTo("x.csv"));
    assertThat(config.optimizer()).isEqualTo(new OptimizerConfig.Sgd(1, 0));
    assertThat(Config.parse(SMALL, "optimizer=sgd", "optimizer.sgd.learningRate=1").optimizer())
        .isEqualTo(config.optimizer());
  }

  @ParameterizedTest
  @CsvSource({
    "batch.size=-3, '--set batch.size=-3: batch.size must be 1 to 65536, not -3'",
    "batch.sise=3, '--set batch.sise=3: batch.sise is not known; did you mean size? Allowed: size, maxDelay'",
    "batch, '--set batch: must have the form key.key=value'",
    "=3, '--set =3: must have the form key.key=value'",
    "'batch=[', '--set batch=[: is not YAML: '",
    "features.x=3, '--set features.x=3: features.x is not known; allowed: '",
    "features.1.clip=3, '--set features.1.clip=3: 1 is not the index of an item: the list has 0, counted from 0; or set it as a whole'",
    "batch.size.x=3, '--set batch.size.x=3: batch.size must be an integer, 1 to 65536, not a map'",
  })
  void shouldNameTheOverrideThatIsWrong(String set, String problem) {
    assertThatThrownBy(() -> Config.parse(SMALL, set))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith(problem);
  }

  @Test
  void shouldNameTheFileThatCannotBeRead(@TempDir Path folder) throws IOException {
    Path latin = Files.write(folder.resolve("latin.yaml"), new byte[] {'a', (byte) 0xe9, '\n'});
    Path good = Files.writeString(folder.resolve("good.yaml"), SMALL, StandardCharsets.UTF_8);

    assertThatThrownBy(() -> ConfigReader.read(folder.resolve("no.yaml"), List.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageEndingWith("no.yaml: there is no such file");
    assertThatThrownBy(() -> ConfigReader.read(folder, List.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("cannot be read");
    assertThatThrownBy(() -> ConfigReader.read(latin, List.of()))
        .hasMessageEndingWith("latin.yaml: must be UTF-8");
    assertThat(ConfigReader.read(good, List.of()).seed()).isEqualTo(42);
  }

  @Test
  void shouldCheckRecordsThatCodeMakesToo() {
    assertThatThrownBy(() -> new Config.BatchConfig(0, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("size must be 1 to 65536, not 0");
    assertThatThrownBy(() -> new OptimizerConfig.Sgd(Double.NaN, 0))
        .hasMessage("learningRate must be above 0, not NaN");
    assertThatThrownBy(() -> new FeatureConfig.Clip(List.of("x"), 0, Double.POSITIVE_INFINITY))
        .hasMessage("max must be finite, not Infinity");
  }

  /** What a configuration says, or the one thing that is wrong with it. */
  private static String outcome(String yaml, String set, Function<Config, Object> value) {
    try {
      return value.apply(Config.parse(yaml, set)).toString();
    } catch (ConfigException e) {
      assertThat(e.problems()).as(e.getMessage()).hasSize(1);
      return e.problems().getFirst().text();
    }
  }

  private static Problem problem(String yaml) {
    ConfigException e = catchThrowableOfType(ConfigException.class, () -> Config.parse(yaml));
    assertThat(e.problems()).as(e.getMessage()).hasSize(1);
    return e.problems().getFirst();
  }

  private static final String FIELDS =
      """
      source: { file: { path: x.ndjson, format: json, passes: 3 } }
      schema:
        label: { field: y, type: number }
        fields:
          age: number
          temp: { type: number, min: -50, max: 60.5 }
          embedding: { type: vector, size: 128, fill: 0 }
          "user.city": { type: category, missing: reject }
      features: [ oneHot: { fields: user.city }, standardize: { fields: [vector, temp] } ]
      model: linear
      """;

  @Test
  void shouldReadFieldsWithRules() {
    Config config = Config.parse(FIELDS);

    assertThat(config.schema().fields())
        .containsExactly(
            Map.entry("age", FieldConfig.of(FieldType.NUMBER)),
            Map.entry(
                "temp",
                new FieldConfig(
                    FieldType.NUMBER, null, -50.0, 60.5, FieldConfig.Missing.AUTO, null)),
            Map.entry(
                "embedding",
                new FieldConfig(FieldType.VECTOR, 128, null, null, FieldConfig.Missing.AUTO, "0")),
            Map.entry(
                "user.city",
                new FieldConfig(
                    FieldType.CATEGORY, null, null, null, FieldConfig.Missing.REJECT, null)));
    SourceConfig.File file = (SourceConfig.File) Objects.requireNonNull(config.source());
    assertThat(file.format()).isEqualTo(new FormatConfig.Json(FormatConfig.UnknownFields.IGNORE));
    assertThat(file.passes()).isEqualTo(3);
    assertThat(Config.parse(ConfigWriter.yaml(config))).isEqualTo(config);
    assertThat(ConfigWriter.yaml(config)).contains("age: number");
  }

  @ParameterizedTest
  @CsvSource({
    "age=[1], 'schema.fields.age must be one of number, flag, category, vector, or a map with type, size, min, max, missing, fill, not a list'",
    "age=vector, 'schema.fields.age.size is required for a vector: how many numbers it has'",
    "'age={type: number, size: 3}', 'schema.fields.age.size must be 1 to 65536, for a vector alone, not 3'",
    "'age={type: flag, max: 3}', 'schema.fields.age.max must be left out for what is no number or vector'",
    "'age={type: number, min: 3, max: 2}', 'schema.fields.age.max must be at least min, 3.0, not 2.0'",
    "'age={type: number, min: low}', 'schema.fields.age.min must be a number, not low'",
    "'age={type: number, max: 2, fill: 3}', 'schema.fields.age.fill must be a number within min and max, not 3'",
    "'age={type: number, missing: reject, fill: 3}', 'schema.fields.age.fill must be left out where missing is reject'",
    "'age={type: flag, fill: 2}', 'schema.fields.age.fill must be 0, 1, true or false, not \"2\"'",
    "'age*={type: vector, size: 2}', 'schema.fields.age* must not be a pattern: each vector is named by itself'",
  })
  void shouldExplainWhatIsWrongWithAField(String set, String problem) {
    assertThatThrownBy(() -> Config.parse(FIELDS, "schema.fields." + set))
        .hasMessageContaining(problem);
  }

  @Test
  void shouldNotTakeJsonWhereNobodySendsItOrNamesItsFields() {
    assertThatThrownBy(
            () -> Config.parse(FIELDS, "source={tcp: {format: json}}", "schema.fields.x*=flag"))
        .hasMessageContaining(
            "schema.fields.x* must name one field: senders of JSON have no header that a pattern could go by");
    assertThatThrownBy(
            () ->
                Config.parse(
                    "source: { tcp: { format: json, feed: { generator: { stream: sea } } } }\nmodel: mlp\n"))
        .hasMessageContaining("source.tcp.format must be csv with feed, which sends that");
  }
}
