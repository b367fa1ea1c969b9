package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.FittedModel.Cut;
import io.penstock.config.Config;
import io.penstock.config.Config.HttpConfig;
import io.penstock.pipeline.State;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code POST /v1/predict} as a client sees it, on a run that has been trained and stands still. */
class PredictRouteTest {
  private static final Config CONFIG =
      Config.parse(
          """
          name: flats
          source: { file: { path: none.csv, format: { csv: { header: true, missing: [NA] } } } }
          schema:
            label: { field: y, type: class, classes: [cheap, dear] }
            weight: w
            fields: { size: number, rooms: number, lift: flag, city: category }
          features:
            - impute: { fields: rooms, with: mean }
            - standardize: { fields: number }
            - oneHot: { fields: city, values: [Bern, Bonn] }
          batch: { size: 16, maxDelay: none }
          model: { mlp: { hidden: [4] } }
          predictions: { maxRows: 20, maxBytes: 2KiB }
          """);
  private static final List<String> COLUMNS = List.of("w", "size", "rooms", "lift", "city", "y");

  private static final FakeRun RUN = new FakeRun();
  private static final DeadLetters LETTERS = DeadLetters.countedOnly();
  private static final LiveModel MODEL = new LiveModel(CONFIG, new SteadyEpochClock());
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final HttpEndpoint HTTP =
      new HttpEndpoint(
          new HttpConfig(0, "127.0.0.1"), RUN::snapshot, RUN::checkpoint, MODEL, LETTERS);

  @BeforeAll
  static void train() {
    State cut = TestModels.trained(CONFIG, COLUMNS, 4242);
    MODEL.follow(
        new LiveModel.Origin() {
          @Override
          public CompletableFuture<State> cut() {
            return CompletableFuture.completedFuture(cut);
          }

          @Override
          public long rows() {
            return 4242;
          }

          @Override
          public List<String> columns() {
            return COLUMNS;
          }
        });
  }

  @AfterAll
  static void close() {
    CLIENT.close();
    HTTP.close();
    MODEL.close();
    LETTERS.close();
  }

  private static HttpResponse<String> post(String type, String body) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create(HTTP.address() + "/v1/predict"))
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode predictions(String type, String body) throws Exception {
    HttpResponse<String> response = post(type, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    JsonNode json = JsonMapper.shared().readTree(response.body());
    assertThat(json.get("model").get("run").stringValue()).isEqualTo("flats");
    assertThat(json.get("model").get("rows").longValue()).isEqualTo(4242);
    assertThat(json.get("model").get("ageRows").longValue()).isZero();
    assertThat(json.get("model").get("ageSeconds").doubleValue()).isNotNegative();
    return json.get("predictions");
  }

  @Test
  void shouldAnswerTheSameHoweverARowIsWritten() throws Exception {
    JsonNode one = predictions("text/csv", "size,rooms,lift,city\n70.5,3,1,Bonn\n").get(0);
    assertThat(one.get("class").stringValue()).isIn("cheap", "dear");
    double cheap = one.get("probabilities").get("cheap").doubleValue();
    double dear = one.get("probabilities").get("dear").doubleValue();
    assertThat(cheap + dear).isBetween(0.999999, 1.000001);
    assertThat(one.get("class").stringValue()).isEqualTo(dear > cheap ? "dear" : "cheap");

    String object =
        "{\"city\": \"Bonn\", \"lift\": true, \"size\": 70.5, \"rooms\": 3, \"extra\": [1]}";
    for (String[] same :
        new String[][] {
          {"text/csv", "y,city,size,w,lift,rooms\r\ndear,Bonn,70.5,1,true,3"},
          {"text/csv; charset=utf-8", "\"city\",size,lift,rooms\n\"Bonn\",70.5,1,3\n"},
          {"text/csv; header=absent", "1,70.5,3,1,Bonn,dear\n"},
          {"text/csv; header=absent", "70.5,3,1,Bonn\n"},
          {"application/json", object},
          {"application/json", "[" + object + "]"},
          {"application/x-ndjson", object + "\n"},
        }) {
      JsonNode answers = predictions(same[0], same[1]);
      assertThat(answers.size()).as(same[1]).isEqualTo(1);
      assertThat(answers.get(0)).as(same[1]).isEqualTo(one);
    }
  }

  @Test
  void shouldTakeEmptyAbsentNullAndConfiguredTextsForMissing() throws Exception {
    JsonNode answers =
        predictions(
            "application/json",
            """
            [{"size": 70, "lift": 0, "city": "Bern"},
             {"size": 70, "lift": 0, "city": "Bern", "rooms": null},
             {"size": 70, "lift": 0, "city": "Bern", "rooms": ""},
             {"size": 70, "lift": 0, "city": "Bern", "rooms": "NA"},
             {"size": 70, "lift": 0, "city": "Bern", "rooms": 9}]
            """);
    for (int i = 1; i < 4; i++) {
      assertThat(answers.get(i)).isEqualTo(answers.get(0));
    }
    assertThat(answers.get(4)).isNotEqualTo(answers.get(0));
  }

  @Test
  void shouldSayWhatIsWrongWithARowAndAnswerTheOthers() throws Exception {
    JsonNode csv =
        predictions(
            "text/csv",
            "size,rooms,lift,city\n70,3,1,Bern\nx,3,1,Bern\n70,3,2,Bern\n\n70,3\n,3,1,Bern\n70,3,1,\"Bern\n70,3,1,Bern\n");
    assertThat(csv.size()).isEqualTo(7);
    assertThat(errors(csv))
        .containsExactly(
            "",
            "size: must be a finite decimal number in the range of a float, not 'x'",
            "lift: must be 0 or 1, not '2'",
            "2 columns, where there must be 4",
            "size: a value is needed (or an impute step), not ''",
            "column 4: a quoted value must end with its quote, and any other has none: '\"Bern'",
            "");
    assertThat(csv.get(6)).isEqualTo(csv.get(0));

    JsonNode lines =
        predictions(
            "application/x-ndjson",
            """
            {"size": 70, "rooms": 3, "lift": 1, "city": "Bern"}
            {"size": 70, "rooms": 3, "lift": 1

            {"size": {"m2": 70}, "rooms": 3, "lift": 1, "city": "Bern"}
            [1]
            {"size": 70, "rooms": 3, "lift": 1, "city": "Bern"} {}
            {"rooms": 3, "lift": 1, "city": "Bern"}
            {"size": 70, "rooms": 3, "lift": 1, "city": "Bern"}
            """);
    assertThat(lines.get(0)).isEqualTo(csv.get(0));
    assertThat(lines.get(6)).isEqualTo(csv.get(0));
    assertThat(errors(lines).get(1)).startsWith("byte 34: must be a JSON object");
    assertThat(errors(lines).subList(2, 6))
        .containsExactly(
            "byte 9: size: must be a value, not an object or an array, not '{\"m2\": 70}'",
            "byte 0: must be a JSON object, not '[1]'",
            "byte 52: must be a JSON object, not '{}'",
            "size: a value is needed (or an impute step), not ''");
  }

  private static List<String> errors(JsonNode predictions) {
    return predictions.valueStream().map(row -> row.path("error").asString("")).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text/csv|size,rooms,lift@1,2,0|400|no column 'city'",
        "text/csv|''|400|no header: the first line must have the names of the columns",
        "application/json|{\"size\": |400|not JSON",
        "application/json|5|400|must be an object",
        "application/xml|<a/>|415|content type 'application/xml': must be text/csv",
        "text/csv; charset=utf-16|size|415|charset=utf-16",
      })
  void shouldRefuseWhatCannotBeRead(String type, String body, int status, String why)
      throws Exception {
    HttpResponse<String> response = post(type, body.replace('@', '\n'));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(JsonMapper.shared().readTree(response.body()).get("error").stringValue())
        .contains(why);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldRefuseTooManyBytes(boolean lengthTold) throws Exception {
    String body = "size,rooms,lift,city\n" + "70,3,1,Bern\n".repeat(300);
    HttpResponse<String> response =
        CLIENT.send(
            HttpRequest.newBuilder(URI.create(HTTP.address() + "/v1/predict"))
                .header("Content-Type", "text/csv")
                .POST(
                    lengthTold
                        ? HttpRequest.BodyPublishers.ofString(body)
                        : HttpRequest.BodyPublishers.ofInputStream(
                            () -> new ByteArrayInputStream(body.getBytes(UTF_8))))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(response.body()).contains("larger than 2048 bytes (predictions.maxBytes)");
  }

  @Test
  void shouldRefuseTooManyRows() throws Exception {
    String header = "size,rooms,lift,city\n";
    assertThat(predictions("text/csv", header + "70,3,1,Bern\n".repeat(20)).size()).isEqualTo(20);
    HttpResponse<String> response = post("text/csv", header + "70,3,1,Bern\n".repeat(21));
    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(response.body()).contains("at most 20 rows");
  }

  @Test
  void shouldAnswerNothingForNoRows() throws Exception {
    assertThat(predictions("text/csv", "size,rooms,lift,city\n").size()).isZero();
    assertThat(predictions("application/json", "[]").size()).isZero();
    assertThat(predictions("application/x-ndjson", "").size()).isZero();
  }

  @Test
  void shouldSayThatThereIsNoModelYet() throws IOException, InterruptedException {
    FakeRun run = new FakeRun();
    try (HttpEndpoint http =
        new HttpEndpoint(
            new HttpConfig(0, "127.0.0.1"), run::snapshot, run::checkpoint, run.model(), LETTERS)) {
      HttpResponse<String> response =
          CLIENT.send(
              HttpRequest.newBuilder(URI.create(http.address() + "/v1/predict"))
                  .header("Content-Type", "text/csv")
                  .POST(HttpRequest.BodyPublishers.ofString("x\n1\n"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(response.headers().firstValue("Retry-After")).hasValue("1");
      assertThat(response.body()).contains("no model yet");
    }
  }

  @Test
  void shouldMeterWhatIsAsked() throws Exception {
    LiveModel.Status before = MODEL.status();
    var _ = predictions("text/csv", "size,rooms,lift,city\n70,3,1,Bern\nx,3,1,Bern\n");
    var _ = post("application/xml", "");
    LiveModel.Status after = MODEL.status();
    assertThat(after.requests() - before.requests()).isEqualTo(2);
    assertThat(after.refused() - before.refused()).isEqualTo(1);
    assertThat(after.rows() - before.rows()).isEqualTo(2);
    assertThat(after.refusedRows() - before.refusedRows()).isEqualTo(1);
    String page =
        CLIENT
            .send(
                HttpRequest.newBuilder(URI.create(HTTP.address() + "/metrics")).build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    assertThat(page)
        .contains("penstock_predictions_requests_total " + (double) after.requests())
        .contains("penstock_predictions_time_seconds{percentile=\"99\"}")
        .contains("penstock_predictions_age_seconds ");
  }

  @Test
  void shouldNameIntegerClassesAsTheStreamDoes() throws Exception {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: sea } }
            model: { softmax: {} }
            """);
    State cut = TestModels.trained(config, List.of(), 512);
    try (FittedModel model = new FittedModel(config, List.of())) {
      Cut loaded = model.load(cut, 0);
      assertThat(loaded.classes()).containsExactly("0", "1");
      cut.scope("source0").put("classesFrom", 1L);
      assertThat(model.load(cut, 0).classes()).containsExactly("2", "1");
    }
  }
}
