package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.nodes.Node;

class ReferencePageTest {
  private static final Path HOME = Path.of(System.getProperty("penstock.home"));
  private static final Path PAGE = HOME.resolve("src/docs/configuration.md");

  @Test
  void shouldBeAsTheRecordsSay() throws IOException {
    String page = new ReferencePage(HOME.resolve("config/src/main/java")).write();
    if (Boolean.getBoolean("penstock.docs.write")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, page);
    }

    assertThat(PAGE)
        .as(
            "make it anew: ./mvnw -pl config test -Dtest=ReferencePageTest -Dpenstock.docs.write=true")
        .content()
        .isEqualTo(page);
  }

  /** What an almost empty configuration yields, by the path of the page's tables. */
  static Stream<Map.Entry<String, Object>> almostEmpty() {
    Config config = Config.parse("source: { generator: { stream: sea } }\nmodel: mlp\n");
    Config file =
        Config.parse(
            """
            source: { file: { path: x } }
            schema: { label: { field: y, type: number }, fields: { x: number } }
            model: linear
            """);
    Config tcp =
        Config.parse(
            """
            source: { tcp: { feed: { generator: { stream: sea, drift: { at: 1 } } } } }
            features: [ standardize: { fields: number } ]
            model: softmax
            """);
    SourceConfig.Tcp source = (SourceConfig.Tcp) Objects.requireNonNull(tcp.source());
    SourceConfig.FeedConfig feed = Objects.requireNonNull(source.feed());
    return Stream.of(
        Map.entry("", config),
        Map.entry("batch", config.batch()),
        Map.entry("pipeline", config.pipeline()),
        Map.entry("evaluation", config.evaluation()),
        Map.entry("errors", config.errors()),
        Map.entry("http", config.http()),
        Map.entry("mlp", config.model()),
        Map.entry("adam", config.optimizer()),
        Map.entry("generator", Objects.requireNonNull(config.source())),
        Map.entry("file", Objects.requireNonNull(file.source())),
        Map.entry("linear", file.model()),
        Map.entry("schema", file.schema()),
        Map.entry("tcp", source),
        Map.entry("csv", source.format().csv()),
        Map.entry("feed", feed),
        Map.entry("drift", Objects.requireNonNull(feed.generator().drift())),
        Map.entry("standardize", tcp.features().getFirst()));
  }

  @ParameterizedTest
  @MethodSource("almostEmpty")
  void shouldShowTheDefaultsThatAnAlmostEmptyConfigurationYields(Map.Entry<String, Object> entry)
      throws ReflectiveOperationException {
    Class<?> type = entry.getValue().getClass();
    List<Setting> settings = Setting.of(type);
    RecordComponent[] components = type.getRecordComponents();
    String page = readPage();
    for (int i = 0; i < components.length; i++) {
      Setting setting = settings.get(i);
      Object actual = components[i].getAccessor().invoke(entry.getValue());
      if (!setting.byDefault().isEmpty() && !setting.name().equals("features")) {
        assertThat(actual).as("%s.%s", entry.getKey(), setting.name()).isEqualTo(shown(setting));
        assertThat(page.lines())
            .anyMatch(
                line ->
                    line.startsWith("| `" + setting.name() + "` |")
                        && line.contains("| `" + setting.byDefault() + "` |"));
      }
    }
  }

  /** The default as the page shows it, bound alone. */
  private static Object shown(Setting setting) {
    String yaml = setting.byDefault().equals("none") ? setting.none() : setting.byDefault();
    Binder binder = new Binder("default");
    Node node = Yaml.constant(yaml);
    Object value = binder.value(node, setting.type(), setting, setting.name());
    assertThat(binder.problems().all()).isEmpty();
    return Objects.requireNonNull(value);
  }

  private static String readPage() {
    try {
      return Files.readString(PAGE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void shouldDeclareDefaultsThatTheirOwnRulesAllow() {
    Stream.of(
            SourceConfig.class,
            FeatureConfig.class,
            ModelConfig.class,
            LossConfig.class,
            OptimizerConfig.class)
        .flatMap(type -> Arrays.stream(type.getPermittedSubclasses()))
        .flatMap(type -> Setting.of(Setting.written(type)).stream())
        .filter(setting -> !setting.byDefault().isEmpty())
        .forEach(setting -> assertThat(shown(setting)).as(setting.name()).isNotNull());
  }
}
