package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config.HttpConfig;
import io.penstock.ingest.codec.JsonLines;
import io.penstock.ingest.netty.Feed;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A model trained on JSON over TCP: asked over HTTP, from Java and from files, in JSON and in CSV. */
@SuppressWarnings("NullAway.Init") // set before all tests
class JsonPredictTest {
  private static final String YAML =
      """
      source: { tcp: { port: 0, endAfterConnections: 1, format: { json: { unknown: reject } } } }
      schema:
        label: { field: meta.label, classes: [no, yes] }
        weight: meta.weight
        fields:
          user.age: { type: number, min: 0, max: 130, fill: 40 }
          user.address.city: category
          "items[0].price": number
          '["a.b"]': flag
          e: { type: vector, size: 3, max: 10 }
      features:
        - oneHot: { fields: user.address.city, capacity: 8 }
        - standardize: { fields: [number, e] }
      batch: { size: 32, maxDelay: none }
      model: { logistic: {} }
      optimizer: { adam: { learningRate: 0.01 } }
      checkpoint: { directory: '%s', every: none }
      http: none
      """;
  private static final List<String> NAMES =
      List.of(
          "user.age",
          "user.address.city",
          "items[0].price",
          "[\"a.b\"]",
          "e[0]",
          "e[1]",
          "e[2]",
          "meta.weight",
          "meta.label");
  private static final int FEATURES = 7;
  private static final int ROWS = 2000;
  private static final DeadLetters LETTERS = DeadLetters.countedOnly();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir private static Path folder;

  private static List<List<String>> rows; // as in CSV
  private static Path saved;
  private static Run run;
  private static HttpEndpoint http;

  @BeforeAll
  static void train() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    rows = random.ints(ROWS).mapToObj(_ -> row(random)).toList();
    saved = folder.resolve("saved");
    run = Runs.of(YAML.formatted(saved), new Rejected(), 0);
    run.start();
    Feed.to("127.0.0.1", Runs.port(run)).file(lines("train.ndjson", rows), false).block(Runs.LONG);
    RunSnapshot end = Runs.end(run);
    assertThat(end.rows().trained()).isEqualTo(ROWS);
    http =
        new HttpEndpoint(
            new HttpConfig(0, "127.0.0.1"), run::snapshot, run::checkpoint, run.model(), LETTERS);
  }

  @AfterAll
  static void close() {
    CLIENT.close();
    http.close();
    run.close();
    LETTERS.close();
  }

  private static List<String> row(SplittableRandom random) {
    int age = random.nextInt(100);
    return List.of(
        random.nextInt(5) == 0 ? "" : Integer.toString(age),
        List.of("Oslo", "São Paulo", "say \"hi\", now", "東京\t", "🦊").get(random.nextInt(5)),
        Double.toString(random.nextDouble(-1e3, 1e3)),
        random.nextBoolean() ? "true" : "0",
        Float.toString(random.nextFloat() - 0.5f),
        Double.toString(random.nextGaussian()),
        Integer.toString(random.nextInt(-10, 10)),
        Integer.toString(1 + random.nextInt(3)),
        age + random.nextInt(30) > 60 ? "yes" : "no");
  }

  /** The values of a row as they stand in JSON. */
  private static List<String> json(List<String> row) {
    List<String> values = new ArrayList<>(row);
    values.set(0, row.getFirst().isEmpty() ? "null" : row.getFirst());
    values.set(1, JsonLines.string(row.get(1)));
    if (row.size() > FEATURES) {
      values.set(8, JsonLines.string(row.get(8)));
    }
    return values;
  }

  /** An object a line. */
  private static String objects(List<List<String>> rows) {
    StringBuilder text = new StringBuilder();
    JsonLines lines = new JsonLines(NAMES.subList(0, rows.getFirst().size()));
    rows.forEach(row -> lines.append(json(row), text));
    return text.toString();
  }

  private static Path lines(String name, List<List<String>> rows) throws IOException {
    return Files.writeString(folder.resolve(name), objects(rows));
  }

  private static Path gzipped(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(text.getBytes(UTF_8));
    }
    return file;
  }

  private static String csv(List<List<String>> rows) {
    StringBuilder text = new StringBuilder();
    csv(NAMES.subList(0, rows.getFirst().size()), text);
    rows.forEach(row -> csv(row, text));
    return text.toString();
  }

  private static void csv(List<String> values, StringBuilder to) {
    to.append(
        String.join(
            ",", values.stream().map(value -> '"' + value.replace("\"", "\"\"") + '"').toList()));
    to.append('\n');
  }

  private static List<List<String>> unlabelled(List<List<String>> rows) {
    return rows.stream().map(row -> row.subList(0, FEATURES)).toList();
  }

  private static JsonNode post(String type, String body) throws Exception {
    HttpResponse<String> response =
        CLIENT.send(
            HttpRequest.newBuilder(URI.create(http.address() + "/v1/predict"))
                .header("Content-Type", type)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JsonMapper.shared().readTree(response.body()).get("predictions");
  }

  @Test
  void shouldAnswerTheSameForRowsOfJsonAndOfCsv() throws Exception {
    List<List<String>> some = rows.subList(0, 300);
    JsonNode expected = post("text/csv", csv(some));
    assertThat(expected.size()).isEqualTo(300);
    assertThat(expected.valueStream().allMatch(answer -> answer.has("class"))).isTrue();
    assertThat(expected.valueStream().distinct().count()).isGreaterThan(250);

    for (List<List<String>> asked : List.of(some, unlabelled(some))) {
      String lines = objects(asked);
      String array = "[" + String.join(",", lines.lines().toList()) + "]";
      String pretty =
          JsonMapper.shared()
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(JsonMapper.shared().readTree(array));
      assertThat(pretty.lines().count()).isGreaterThan(3000);
      assertThat(post("text/csv", csv(asked))).isEqualTo(expected);
      assertThat(post("application/x-ndjson", lines)).isEqualTo(expected);
      assertThat(post("application/json", array)).isEqualTo(expected);
      assertThat(post("application/json", pretty)).isEqualTo(expected);
      assertThat(post("application/json", "\uFEFF" + lines)).isEqualTo(expected);
    }
  }

  @Test
  void shouldAnswerTheSameInJavaForNamesAndForMapsInMaps() {
    List<String> row = rows.getFirst();
    float[] vector = {
      Float.parseFloat(row.get(4)), Float.parseFloat(row.get(5)), Float.parseFloat(row.get(6))
    };
    Map<String, Object> byName = new HashMap<>();
    for (int i = 0; i < FEATURES; i++) {
      byName.put(NAMES.get(i), row.get(i));
    }
    boolean flag = Boolean.parseBoolean(row.get(3));
    Map<String, Object> nested = new HashMap<>();
    nested.put("user", Map.of("age", row.getFirst(), "address", Map.of("city", row.get(1))));
    nested.put("items", List.of(Map.of("price", Double.parseDouble(row.get(2)))));
    nested.put("a.b", flag);
    nested.put("e", vector);
    Map<String, Object> unreadable = new HashMap<>(byName);
    unreadable.put("user.age", unreadable);
    Map<String, Object> notFinite = new HashMap<>(byName);
    notFinite.put("items[0].price", Double.NaN);
    try (Model model = Model.saved(saved)) {
      List<Model.Prediction> answers =
          model.predict(List.of(byName, nested, unreadable, notFinite)).predictions();
      assertThat(answers.getFirst()).isInstanceOf(Model.Prediction.OfClass.class);
      assertThat(answers.get(1)).isEqualTo(answers.getFirst());
      assertThat(((Model.Prediction.Refused) answers.get(2)).reason())
          .startsWith("cannot be written as JSON: ");
      assertThat(((Model.Prediction.Refused) answers.get(3)).reason())
          .isEqualTo(
              "items[0].price: must be a finite decimal number in the range of a float, not 'NaN'");
    }
  }

  @Test
  void shouldSayFieldRuleAndValueOfARowThatCannotBeUsed() throws Exception {
    String good =
        "{\"user\":{\"age\":30,\"address\":{\"city\":\"Oslo\"}},\"items\":[{\"price\":5}],\"a.b\":true,\"e\":[1,2,3]}";
    String[][] wrong = {
      {"30", "131", "user.age: must be 0.0 to 130.0 (min, max), not '131'"},
      {"[1,2,3]", "[1,2,11]", "e[2]: must be at most 10.0 (max), not '11'"},
      {"[1,2,3]", "[1,2]", "byte 87: e: must have 3 elements, it has 2, not ''"},
      {"[1,2,3]", "5", "byte 82: e: must be an array, not '5'"},
      {
        "5}",
        "\"dear\"}",
        "items[0].price: must be a finite decimal number in the range of a float, not 'dear'"
      },
      {"true", "2", "[\"a.b\"]: must be 0 or 1, not '2'"},
      {"\"a.b\":true,", "", "[\"a.b\"]: a value is needed (or an impute step), not ''"},
      {"\"age\"", "\"Age\"", "byte 10: its fields must be in the schema, not 'Age'"},
      {
        "{\"city\":\"Oslo\"}",
        "\"Oslo\"",
        "byte 28: user.address: must be an object, not '\"Oslo\"'"
      },
    };
    List<String> objects = new ArrayList<>(List.of(good));
    List<String> errors = new ArrayList<>(List.of(""));
    for (String[] one : wrong) {
      assertThat(good).contains(one[0]);
      objects.add(good.replace(one[0], one[1]));
      errors.add(one[2]);
    }
    objects.add(good);
    errors.add("");
    JsonNode lines = post("application/x-ndjson", String.join("\n", objects));
    assertThat(lines.valueStream().map(row -> row.path("error").asString("")).toList())
        .isEqualTo(errors);
    assertThat(lines.get(errors.size() - 1)).isEqualTo(lines.get(0));
    assertThat(post("application/json", objects.toString())).isEqualTo(lines);
  }

  @Test
  void shouldPredictAndEvaluateFilesByTheirNames() throws Exception {
    List<List<String>> some = rows.subList(500, 1500);
    Path csv = Files.writeString(folder.resolve("some.csv"), csv(some));
    Path packedCsv = gzipped("some.csv.gz", csv(some));
    Path ndjson = lines("some.ndjson", some);
    Path packed = gzipped("some.jsonl.gz", objects(some));
    Path unnamed = lines("some.txt", some); // as in training

    String predicted = said("predict", csv);
    assertThat(predicted.lines().count()).isEqualTo(1000);
    JsonNode evaluated = evaluation(csv);
    assertThat(evaluated.get("rows").intValue()).isEqualTo(1000);
    assertThat(evaluated.get("rejected").intValue()).isZero();
    assertThat(evaluated.get("prequential").get("accuracy").doubleValue()).isGreaterThan(0.7);
    for (Path file : List.of(packedCsv, ndjson, packed, unnamed)) {
      assertThat(said("predict", file)).as("%s", file).isEqualTo(predicted);
      assertThat(evaluation(file)).as("%s", file).isEqualTo(evaluated);
    }
    assertThat(said("predict", lines("unlabelled.ndjson", unlabelled(some)))).isEqualTo(predicted);

    Console unlabelled =
        Console.start("evaluate", saved.toString(), folder.resolve("unlabelled.ndjson").toString());
    assertThat(unlabelled.exit()).isEqualTo(ExitCode.FAILED);
    assertThat(unlabelled.err())
        .contains("no row could be used; the first: row 0: meta.weight: a value is needed");
  }

  private static String said(String... command) throws Exception {
    return Console.start(command).outAfter(ExitCode.OK);
  }

  private static String said(String command, Path file, String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of(command, saved.toString(), file.toString()));
    all.addAll(Arrays.asList(options));
    return said(all.toArray(String[]::new));
  }

  private static JsonNode evaluation(Path file) throws Exception {
    ObjectNode found = (ObjectNode) JsonMapper.shared().readTree(said("evaluate", file, "--json"));
    return found.without("file");
  }

  @Test
  void shouldTakeTheEventTimeOfRowsWhoseFeaturesAreMadeOfIt() throws Exception {
    List<String> lines = new ArrayList<>();
    List<String> objects = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 3000; i++) {
      int hour =
          random.nextInt(1, 12)
              + (i % 2 == 0 ? 12 : 0); // neither 0 nor 12: they lie on the line between
      String at = "2024-05-01T%02d:30:00Z".formatted(hour);
      String y = hour < 12 ? "am" : "pm";
      lines.add("%s,%d,%s".formatted(at, i % 7, y));
      objects.add("{\"at\":\"%s\",\"x\":%d,\"y\":\"%s\"}".formatted(at, i % 7, y));
    }
    Path csv =
        Files.writeString(folder.resolve("hours.csv"), "at,x,y\n" + String.join("\n", lines));
    Path json = Files.writeString(folder.resolve("hours.ndjson"), String.join("\n", objects));
    Path state = folder.resolve("hours");
    RunSnapshot end =
        Runs.train(
            """
            source: { file: { path: '%s' } }
            schema: { label: { field: y, classes: [am, pm] }, eventTime: at, fields: { x: number } }
            features: [ standardize: { fields: x }, cyclical: { parts: [hourOfDay] } ]
            batch: { size: 16, maxDelay: none }
            model: logistic
            optimizer: { adam: { learningRate: 0.05 } }
            checkpoint: { directory: '%s', every: none }
            http: none
            """
                .formatted(csv, state));
    assertThat(end.window().accuracy()).isGreaterThan(0.9);
    String answers = said("predict", state.toString(), csv.toString());
    List<String> classes =
        answers
            .lines()
            .map(line -> JsonMapper.shared().readTree(line).get("class").stringValue())
            .toList();
    long right =
        IntStream.range(0, 3000).filter(i -> lines.get(i).endsWith(classes.get(i))).count();
    assertThat(right).isGreaterThan(2700);
    assertThat(said("predict", state.toString(), json.toString())).isEqualTo(answers);
    try (Model model = Model.saved(state)) {
      assertThat(model.predict(List.of(Map.of("x", 1))).predictions())
          .containsExactly(new Model.Prediction.Refused("at: a value is needed, not ''"));
    }
  }

  @Test
  void shouldEvaluateAFileOfJsonThoughTheTrainingReadCsv() throws Exception {
    Path csv = Files.writeString(folder.resolve("learnt.csv"), csv(rows));
    Path state = folder.resolve("fromCsv");
    RunSnapshot end =
        Runs.train(YAML.formatted(state), "source={file: {path: '%s'}}".formatted(csv));
    assertThat(end.rows().trained()).isEqualTo(ROWS);
    Path ndjson = lines("learnt.ndjson", rows);
    for (String command : List.of("predict", "evaluate")) {
      String fromCsv = said(command, state.toString(), csv.toString());
      assertThat(said(command, state.toString(), ndjson.toString()))
          .isEqualTo(fromCsv.replace("learnt.csv", "learnt.ndjson"));
    }
  }
}
