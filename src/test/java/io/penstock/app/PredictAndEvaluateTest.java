package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code penstock predict} and {@code penstock evaluate} on a checkpoint of a real run. */
class PredictAndEvaluateTest {
  private static final int ROWS = 8_000;

  @TempDir private static Path folder;

  private static Path saved = Path.of("");
  private static List<String> rows = List.of();

  @BeforeAll
  static void train() throws IOException {
    rows = rows(ROWS);
    Path file = write("train.csv", "x0,x1,city,y", rows);
    saved = folder.resolve("saved");
    RunSnapshot end =
        Runs.train(
            """
            source: { file: { path: '%s' } }
            schema:
              label: { field: y, type: class, classes: 3 }
              fields: { x0: number, x1: number, city: category }
            features:
              - standardize: { fields: number }
              - oneHot: { fields: city, capacity: 4 }
            batch: { size: 50, maxDelay: none }
            model: { mlp: { hidden: [8] } }
            optimizer: { adam: { learningRate: 0.01 } }
            evaluation: { window: 500 }
            checkpoint: { directory: '%s', every: none }
            http: none
            """
                .formatted(file, saved));
    assertThat(end.cumulative().accuracy()).isGreaterThan(0.8);
  }

  /** Classes count from 1. */
  private static List<String> rows(int count) {
    SplittableRandom random = new SplittableRandom(11);
    List<String> rows = new ArrayList<>();
    for (int row = 0; row < count; row++) {
      double x0 = random.nextGaussian(5, 2);
      double x1 = random.nextGaussian(-1, 1);
      int city = random.nextInt(3);
      int y = x0 > 5.5 ? 3 : x1 + city > 0 ? 2 : 1;
      rows.add(String.format(Locale.ROOT, "%.4f,%.4f,town%d,%d", x0, x1, city, y));
    }
    return rows;
  }

  private static Path write(String name, String header, List<String> lines) throws IOException {
    return Files.writeString(folder.resolve(name), header + "\n" + String.join("\n", lines) + "\n");
  }

  private static Console run(String... args) {
    return Console.start(args);
  }

  private static List<JsonNode> json(String lines) {
    return lines.lines().map(line -> JsonMapper.shared().readTree(line)).toList();
  }

  @Test
  void shouldPredictAFileALineForEachRow() throws Exception {
    List<String> some = rows.subList(0, 600);
    Path labelled = write("some.csv", "x0,x1,city,y", some);
    Console json = run("predict", saved.toString(), labelled.toString());
    assertThat(json.exit()).as(json.err()).isZero();
    List<JsonNode> answers = json(json.outAfter(0));
    assertThat(answers).hasSize(600);
    long right = 0;
    for (int row = 0; row < 600; row++) {
      String y = some.get(row).substring(some.get(row).lastIndexOf(',') + 1);
      right += answers.get(row).get("class").stringValue().equals(y) ? 1 : 0;
      assertThat(answers.get(row).get("probabilities").propertyNames())
          .containsExactlyInAnyOrder("1", "2", "3");
    }
    assertThat(right).isGreaterThan(500);

    List<String> objects =
        some.stream()
            .map(row -> row.split(","))
            .map(
                row ->
                    "{\"x0\": %s, \"x1\": %s, \"city\": \"%s\"}".formatted(row[0], row[1], row[2]))
            .toList();
    Path lines = folder.resolve("some.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(lines))) {
      out.write((String.join("\n", objects) + "\n").getBytes(UTF_8));
    }
    assertThat(run("predict", saved.toString(), lines.toString()).outAfter(0))
        .isEqualTo(json.outAfter(0));

    Path out = folder.resolve("answers.csv");
    Console csv =
        run(
            "predict",
            saved.toString(),
            labelled.toString(),
            "--format",
            "csv",
            "--out",
            out.toString());
    assertThat(csv.exit()).as(csv.err()).isZero();
    List<String> table = Files.readAllLines(out);
    assertThat(table).hasSize(601);
    assertThat(table.getFirst()).isEqualTo("class,3,1,2,error");
    JsonNode first = answers.getFirst();
    assertThat(table.get(1))
        .isEqualTo(
            "%s,%s,%s,%s,"
                .formatted(
                    first.get("class").stringValue(),
                    first.get("probabilities").get("3"),
                    first.get("probabilities").get("1"),
                    first.get("probabilities").get("2")));
  }

  @Test
  void shouldSayWhichRowsCannotBePredicted() throws Exception {
    Path file = write("bad.csv", "city,x1,x0", List.of("town1,0,5", "town1,zero,5", "town1,0,5"));
    Console console = run("predict", saved.toString(), file.toString());
    assertThat(console.exit()).isZero();
    assertThat(console.err()).contains("1 of 3 rows could not be used");
    List<JsonNode> answers = json(console.outAfter(0));
    assertThat(answers.get(1).get("error").stringValue()).startsWith("x1: must be a finite");
    assertThat(answers.get(2)).isEqualTo(answers.get(0));
  }

  @Test
  void shouldEvaluateAsTheRunWouldHaveWithoutLearning() throws Exception {
    List<String> some = rows.subList(1000, 3000);
    Path file = write("labelled.csv", "x0,x1,city,y", some);
    List<JsonNode> answers = json(run("predict", saved.toString(), file.toString()).outAfter(0));
    double right = 0;
    double loss = 0;
    for (int row = 0; row < some.size(); row++) {
      String y = some.get(row).substring(some.get(row).lastIndexOf(',') + 1);
      JsonNode answer = answers.get(row);
      right += answer.get("class").stringValue().equals(y) ? 1 : 0;
      loss -= Math.log(answer.get("probabilities").get(y).doubleValue());
    }
    Console console = run("evaluate", saved.toString(), file.toString(), "--json");
    assertThat(console.exit()).as(console.err()).isZero();
    JsonNode found = JsonMapper.shared().readTree(console.outAfter(0));
    assertThat(found.get("rows").longValue()).isEqualTo(2000);
    assertThat(found.get("rejected").longValue()).isZero();
    assertThat(found.get("prequential").get("accuracy").doubleValue())
        .isEqualTo(right / some.size());
    assertThat(found.get("prequential").get("logLoss").doubleValue())
        .isCloseTo(loss / some.size(), within(1e-5));

    Console again = run("evaluate", saved.toString(), file.toString(), "--json");
    assertThat(again.outAfter(0)).as("nothing is learnt").isEqualTo(console.outAfter(0));
    assertThat(run("evaluate", saved.toString(), file.toString()).outAfter(0))
        .contains("2,000 rows of", "accuracy");
  }

  @Test
  void shouldSayWhatIsWrong() throws Exception {
    Path unlabelled = write("unlabelled.csv", "x0,x1,city", List.of("1,2,town1"));
    Path bad = write("allbad.csv", "x0,x1,city,y", List.of("1,2,town1,9"));
    Path other = write("other.csv", "a,b,y", List.of("1,2,1"));
    for (String[] wrong :
        new String[][] {
          {"2", "there is no such file", "predict", saved.toString(), "none.csv"},
          {"2", "there is no such file", "evaluate", saved.toString(), "none.csv"},
          {
            "2", "predict: none: there is no such file or folder", "predict", "none", bad.toString()
          },
          {"2", "no column 'x0'", "predict", saved.toString(), other.toString()},
          {"2", "no column 'x0'", "evaluate", saved.toString(), other.toString()},
          {"2", "no column 'y'", "evaluate", saved.toString(), unlabelled.toString()},
          {
            "1",
            "no row could be used; the first: row 0: y: must be a class",
            "evaluate",
            saved.toString(),
            bad.toString()
          },
        }) {
      Console console = run(Arrays.copyOfRange(wrong, 2, wrong.length));
      assertThat(console.exit()).as(wrong[1]).isEqualTo(Integer.parseInt(wrong[0]));
      assertThat(console.err()).contains(wrong[1]);
    }
  }
}
