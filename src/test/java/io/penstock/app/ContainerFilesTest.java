package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.config.Config;
import io.penstock.config.ConfigReader;
import io.penstock.config.SourceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files under docker/ fit one another and the application. That an engine takes them is not tried here. */
class ContainerFilesTest {
  private static final Path DOCKER = Path.of(System.getProperty("penstock.home"), "docker");
  private static final Path DASHBOARD = DOCKER.resolve("grafana/dashboards/penstock.json");
  private static final Pattern SERIES = Pattern.compile("(penstock_\\w+)(?:\\{([^}]*)})?");
  private static final Pattern MATCHER = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  @Test
  void shouldNameOnlyFilesThatAreThereAndImagesOfOneVersion() throws IOException {
    JsonNode compose = yaml("compose.yaml");
    for (JsonNode service : compose.get("services")) {
      assertThat(service.get("image").asString()).matches("[a-z/]+:v?\\d+\\.\\d+\\.\\d+");
      for (JsonNode volume : service.get("volumes")) {
        String from = volume.asString().split(":", -1)[0];
        assertThat(
                from.startsWith("./")
                    ? Files.exists(DOCKER.resolve(from))
                    : compose.get("volumes").has(from))
            .as(volume.asString())
            .isTrue();
      }
      for (JsonNode port : service.path("ports")) {
        assertThat(port.asString()).as("to this machine alone").startsWith("127.0.0.1:");
      }
    }
    JsonNode penstock = compose.get("services").get("penstock");
    assertThat(penstock.get("read_only").asBoolean()).isTrue();
    assertThat(DOCKER.resolve("..").resolve(penstock.get("build").get("dockerfile").asString()))
        .isRegularFile();
  }

  @Test
  void shouldBuildAnImageThatIsNotRootFromFilesThatAreThere() throws IOException {
    List<String> lines = Files.readAllLines(DOCKER.resolve("Dockerfile"));

    assertThat(lines.stream().filter(line -> line.startsWith("FROM")))
        .allMatch(line -> line.matches("FROM [a-z-]+:\\d+\\.\\d+[\\w.-]*( AS \\w+)?"));
    assertThat(lines.stream().filter(line -> line.startsWith("USER")).toList().getLast())
        .isEqualTo("USER 10001:10001");
    assertThat(lines.stream().filter(line -> line.startsWith("ENTRYPOINT")))
        .containsExactly("ENTRYPOINT [\"/opt/penstock/bin/entrypoint\"]");
    for (String script : List.of("entrypoint", "healthcheck")) {
      assertThat(DOCKER.resolve(script)).isExecutable();
    }
  }

  @Test
  void shouldTrainAConfigurationThatAsksForTheTokenThatPrometheusReads() throws IOException {
    Config config = ConfigReader.read(DOCKER.resolve("penstock.yaml"), List.of());
    SourceConfig.Tcp tcp = (SourceConfig.Tcp) Objects.requireNonNull(config.source());
    JsonNode job = yaml("prometheus.yaml").get("scrape_configs").get(0);

    assertThat(Objects.requireNonNull(tcp.token()).file())
        .isEqualTo(job.get("authorization").get("credentials_file").asString());
    assertThat(job.get("static_configs").get(0).get("targets").get(0).asString())
        .isEqualTo("penstock:" + config.http().port());
    assertThat(Files.readString(DOCKER.resolve("entrypoint")))
        .contains("state=${PENSTOCK_STATE:-/state}");
  }

  @Test
  void shouldShowOnlySeriesThatAreServed() throws IOException {
    String page = page();
    List<String> expressions = new ArrayList<>();
    for (JsonNode panel : JsonMapper.shared().readTree(Files.readString(DASHBOARD)).get("panels")) {
      assertThat(panel.get("datasource").get("uid").asString()).isEqualTo(datasource());
      panel.get("targets").forEach(target -> expressions.add(target.get("expr").asString()));
    }

    assertThat(expressions).hasSizeGreaterThan(20);
    for (String expression : expressions) {
      List<MatchResult> series = SERIES.matcher(expression).results().toList();
      assertThat(series).as(expression).isNotEmpty();
      for (MatchResult one : series) {
        assertThat(page.lines().filter(line -> line.matches(one.group(1) + "[ {].*")))
            .as("%s of %s", one.group(), expression)
            .anyMatch(line -> hasLabels(line, one.group(2)));
      }
    }
  }

  private static boolean hasLabels(String line, @Nullable String labels) {
    return labels == null
        || MATCHER.matcher(labels).results().allMatch(label -> line.contains(label.group()));
  }

  private static String datasource() throws IOException {
    return yaml("grafana/provisioning/datasources/prometheus.yaml")
        .get("datasources")
        .get(0)
        .get("uid")
        .asString();
  }

  /** What {@code /metrics} answers. */
  private static String page() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    RunSnapshot run = FakeRun.snapshot(Phase.RUNNING, 25_600, 0);
    try (DeadLetters letters = DeadLetters.countedOnly()) {
      RunMeters meters =
          new RunMeters(() -> run, new FakeRun().model()::status, letters, new LongAdder());
      meters.bindTo(registry);
      return registry.scrape();
    }
  }

  private static JsonNode yaml(String file) throws IOException {
    Object tree =
        new Load(LoadSettings.builder().build())
            .loadFromString(Files.readString(DOCKER.resolve(file)));
    return JsonMapper.shared().valueToTree(tree);
  }
}
