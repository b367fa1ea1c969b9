package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.config.Config.HttpConfig;
import io.penstock.config.TokenConfig;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpEndpointTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  private final FakeRun run = new FakeRun();
  private final DeadLetters letters = DeadLetters.countedOnly();
  private final HttpEndpoint http =
      new HttpEndpoint(
          new HttpConfig(0, "127.0.0.1"), run::snapshot, run::checkpoint, run.model(), letters);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    client.close();
    http.close();
    letters.close();
  }

  @Test
  void shouldShowTheRunAsPrometheusReadsIt() throws Exception {
    run.become(FakeRun.snapshot(Phase.RUNNING, 25_600, 0));
    letters.reject(new PartitionCursor(0, 0, 0, 0), 0, Reason.TOO_LONG, "", new byte[0], 0, 0);

    String page = get("/metrics").body();

    assertThat(page)
        .contains("penstock_trained_rows_total 25600.0")
        .contains("penstock_rejected_rows_total{reason=\"tooLong\"} 1.0")
        .contains("penstock_stage_busy_seconds_total{stage=\"device\"} 9.0")
        .contains("penstock_prequential{metric=\"accuracy\",scope=\"window\"} 0.9312")
        .contains("penstock_freshness_seconds{percentile=\"50\"} 0.0035")
        .contains("penstock_ring_fill_slots 3.0");
  }

  @Test
  void shouldShowEveryDocumentedMeterAndNoOther() throws Exception {
    Pattern type = Pattern.compile("# TYPE (\\S+) \\S+");
    String page = get("/metrics").body();

    assertThat(type.matcher(page).results().map(match -> match.group(1)))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(PenstockMeter.values()).map(HttpEndpointTest::prometheusName).toList());
  }

  @Test
  void shouldBeHealthyWhileTheRunCanTrain() throws Exception {
    assertThat(get("/health").statusCode()).as("starting").isEqualTo(503);

    run.become(FakeRun.snapshot(Phase.RUNNING, 5, 1));
    assertThat(get("/health").statusCode()).isEqualTo(200);
    assertThat(get("/health").body())
        .isEqualTo("{\"state\":\"running\",\"records\":5,\"rejected\":1}\n");

    run.become(FakeRun.snapshot(Phase.FAILED, 5, 1, 0, "why"));
    assertThat(get("/health").statusCode()).isEqualTo(503);
  }

  @ParameterizedTest
  @ValueSource(strings = {"no.such.host.invalid", "192.0.2.1"})
  void shouldSayThatAnAddressIsNotOfThisMachine(String bind) {
    assertThatThrownBy(
            () ->
                new HttpEndpoint(
                    new HttpConfig(0, bind, true, null),
                    run::snapshot,
                    run::checkpoint,
                    run.model(),
                    letters))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("cannot listen on " + bind);
  }

  @Test
  void shouldSayWhatThereIsAndRefuseTheRest() throws Exception {
    assertThat(get("/").body()).contains("/metrics", "/health");
    assertThat(get("/etc/passwd").statusCode()).isEqualTo(404);
  }

  @Test
  void shouldAskForTheTokenOnEverythingButHealth(@TempDir Path folder) throws Exception {
    run.become(FakeRun.snapshot(Phase.RUNNING, 5, 1));
    Path secret = Files.writeString(folder.resolve("token"), SECRET + "\n");
    HttpConfig settings =
        new HttpConfig(0, "127.0.0.1", false, new TokenConfig(secret.toString(), null));
    try (HttpEndpoint guarded =
        new HttpEndpoint(settings, run::snapshot, run::checkpoint, run.model(), letters)) {
      for (String path : List.of("/metrics", "/", "/no/such", "/health/..;/metrics", "//health")) {
        for (String given :
            List.of("", "Bearer", "Bearer x" + SECRET, "Basic " + SECRET, SECRET, "Bearer ")) {
          HttpResponse<String> answer = ask(guarded, path, given);
          assertThat(answer.statusCode()).as("%s with '%s'", path, given).isEqualTo(401);
          assertThat(answer.headers().firstValue("WWW-Authenticate"))
              .hasValue("Bearer realm=\"penstock\"");
          assertThat(answer.body()).doesNotContain(SECRET);
        }
      }
      assertThat(ask(guarded, "/health", "").statusCode()).isEqualTo(200);
      HttpRequest checkpoint =
          HttpRequest.newBuilder(URI.create(guarded.address() + "/v1/checkpoint"))
              .POST(HttpRequest.BodyPublishers.ofString("x".repeat(100_000)))
              .build();
      assertThat(client.send(checkpoint, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(401);

      assertThat(ask(guarded, "/", "bearer " + SECRET).statusCode()).isEqualTo(200);
      assertThat(ask(guarded, "/metrics", "Bearer " + SECRET).body())
          .contains("penstock_http_unauthorized_total 31.0")
          .contains("penstock_connections_refused_total{reason=\"token\"} 3.0")
          .doesNotContain(SECRET);
    }
  }

  @Test
  void shouldNotAnswerWithoutTheTokenThatItIsToAskFor() {
    HttpConfig settings =
        new HttpConfig(0, "127.0.0.1", false, new TokenConfig("no/such/file", null));

    assertThatThrownBy(
            () -> new HttpEndpoint(settings, run::snapshot, run::checkpoint, run.model(), letters))
        .isInstanceOf(StartException.class)
        .hasMessage("http.token: no/such/file: there is no such file");
  }

  private HttpResponse<String> ask(HttpEndpoint endpoint, String path, String authorization)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint.address() + path));
    if (!authorization.isEmpty()) {
      request.header("Authorization", authorization);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String prometheusName(PenstockMeter meter) {
    String name = meter.meterName().replace('.', '_');
    String unit =
        meter.unit().isEmpty() || name.endsWith("_" + meter.unit()) ? "" : "_" + meter.unit();
    return name + unit + (meter.kind() == PenstockMeter.Kind.COUNTER ? "_total" : "");
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(http.address() + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
