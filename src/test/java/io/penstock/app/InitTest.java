package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.config.ConfigReader;
import io.penstock.config.SchemaConfig.FieldType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** From a sample to a configuration that trains on it as it is. */
class InitTest {
  private @TempDir Path folder;

  private static String payments(int rows) {
    StringBuilder csv = new StringBuilder("id,time,amount,hour,weekend,country,till,shop,fraud\n");
    for (int i = 0; i < rows; i++) {
      csv.append("tx-%d,2024-05-%02dT10:00:00Z,".formatted(i * 7919 % 10007, 1 + i * 28 / rows))
          .append(i % 10 == 3 ? "" : i * 37 % 500 + ".5")
          .append(",%d,%d,%s,".formatted(i % 24, i % 7 < 2 ? 1 : 0, i % 3 == 0 ? "NO" : "SE"))
          .append("t%d,K1,%s\n".formatted(i % 20, i % 4 == 0 ? "yes" : "no"));
    }
    return csv.toString();
  }

  @Test
  void shouldWriteAConfigurationAsAPersonWould() throws IOException {
    Path sample = Files.writeString(folder.resolve("payments.csv"), payments(400));

    String yaml = init(sample, "fraud");

    assertThat(yaml.replace(folder.toString(), "FOLDER"))
        .isEqualTo(
            """
            # Made by penstock init of payments.csv: 400 rows were looked at. It is yours to change; every key is in docs/configuration.md.
            name: payments
            source:
              # Live rows come over TCP: tcp: { port: 9000, format: ... } in place of file.
              file:
                path: "FOLDER/payments.csv"
                format: { csv: { header: true } }
            schema:
              label: { field: fraud, type: class, classes: ["no", "yes"] }   # no 75 %, yes 25 %
              eventTime: time   # freshness is measured from it; it is not learnt from
              fields:
                amount: number      # 0.5 to 499.5, missing in 10 % of the rows
                hour: number        # 0 to 23
                weekend: flag
                country: category   # 2 different
                till: category      # 20 different
                # left out: id, nearly every row has another text
                # left out: shop, always K1
            features:
              - impute: { fields: amount, with: mean }   # or last, or a number
              - standardize: { fields: number }   # to mean 0 and variance 1, as they come
              - oneHot: { fields: country, values: ["NO", SE] }
              - oneHot: { fields: till, capacity: 32 }   # the first that come
            batch: { size: 16, maxDelay: none }   # cut by count alone, so that runs are equal to the bit
            model: { mlp: { hidden: [64], activation: relu } }   # the simplest there is: model: logistic
            optimizer: { adam: { learningRate: 0.01 } }
            errors: { deadLetters: state/payments/dead.jsonl, maxRate: 1% }   # rejected rows, with the reason
            checkpoint: { directory: state/payments, every: 30s }   # started again, the run goes on; --fresh begins anew
            http: { port: 8080 }   # /metrics, /health; none: without
            """);
  }

  @ParameterizedTest
  @CsvSource({"',', true, plain", "';', true, gz", "'\t', false, plain", "'|', true, plain"})
  void shouldCheckAndTrainOnTheSampleAsWritten(char delimiter, boolean header, String kind)
      throws IOException {
    String csv = payments(400).replace(',', delimiter);
    Path sample = folder.resolve(kind.equals("gz") ? "p.csv.gz" : "p.csv");
    try (OutputStream file = Files.newOutputStream(sample);
        OutputStream out = kind.equals("gz") ? new GZIPOutputStream(file) : file) {
      out.write(
          (header ? csv : csv.substring(csv.indexOf('\n') + 1)).getBytes(StandardCharsets.UTF_8));
    }

    init(sample, header ? "fraud" : "c9");

    JsonNode report = checkAndTrain(400);
    assertThat(report.get("records").asLong()).isEqualTo(400);
    assertThat(report.get("rejected").asLong()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "elec2/electricity.csv.gz, class, class of 2, 8, 0.75",
    "covertype/covertype_ramp_92962.csv.gz, Cover_Type, class of 7, 53, 0.65",
    "kddcup99/kddcup.data_10_percent.gz, c42, class of 23, 39, 0.9",
    "phishing/phishing.csv.gz, is_phishing, class of 2, 9, 0.85",
    "bike-sharing/hour.csv.gz, cnt, number, 14, 20",
    "metro-traffic/Metro_Interstate_Traffic_Volume.csv.gz, traffic_volume, number, 7, 1800",
  })
  void shouldTrainOnRealDataAsWritten(
      String data, String label, String kind, int fields, double metric) throws IOException {
    Path sample = Runs.shared(data);

    init(sample, label);

    Config config = ConfigReader.read(folder.resolve("made.yaml"), List.of());
    boolean number = kind.equals("number");
    assertThat(number ? "number" : "class of " + config.schema().label().count()).isEqualTo(kind);
    assertThat(config.schema().fields()).hasSize(fields);
    JsonNode report = checkAndTrain(50_000);
    assertThat(report.get("rejected").asLong()).isZero();
    JsonNode found = report.get("prequential");
    if (number) {
      assertThat(found.get("mae").asDouble()).isLessThan(metric);
    } else {
      assertThat(found.get("accuracy").asDouble()).isGreaterThan(metric);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldTrainOnJsonAsWritten(boolean lines) throws IOException {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      rows.add(
          "{\"at\": [%d, 2], \"user\": {\"age\": %s, \"vip\": %s, \"home town\": \"t%d\"}, \"gone\": %s}"
              .formatted(i % 7, i % 9 == 0 ? null : i % 50 + ".5", i % 2 == 0, i % 4, i % 3 == 0));
    }
    Path sample =
        Files.writeString(
            folder.resolve("users.json"),
            lines ? String.join("\n", rows) : "[" + String.join(",\n", rows) + "]");

    String yaml = init(sample, "gone");

    assertThat(yaml)
        .contains("format: { json: {} }")
        .contains("label: { field: gone, type: class, classes: [\"false\", \"true\"] }")
        .contains("at: { type: vector, size: 2 }")
        .contains("user.vip: flag")
        .contains("- impute: { fields: user.age, with: mean }")
        .contains("- standardize: { fields: [number, vector] }")
        .contains("- oneHot: { fields: user.home town, values: [t0, t1, t2, t3] }");
    if (lines) {
      JsonNode report = checkAndTrain(1000);
      assertThat(report.get("rejected").asLong()).isZero();
      assertThat(report.get("records").asLong()).isEqualTo(200);
    } else {
      assertThat(yaml).contains("# The sample is an array; rows must be an object a line each");
    }
  }

  @Test
  void shouldTakeMarkersOfMissingNumbersForMissing() throws IOException {
    StringBuilder csv = new StringBuilder("x,word,y\n");
    for (int i = 0; i < 100; i++) {
      csv.append(i % 5 == 0 ? "NA" : i * 3).append(i % 2 == 0 ? ",?" : ",a").append(",");
      csv.append(i * i % 97 + 0.5).append('\n');
    }
    Path sample = Files.writeString(folder.resolve("gaps.csv"), csv);

    assertThat(init(sample, "y"))
        .contains("csv: { header: true, missing: [NA] }")
        .contains("x: number        # 3 to 297, missing in 20 % of the rows")
        .contains("word: category   # 2 different")
        .contains("- impute: { fields: x, with: mean }");
    assertThat(checkAndTrain(100).get("rejected").asLong()).isZero();
  }

  @Test
  void shouldTakeTheLabelForWhatTheUserSays() throws IOException {
    StringBuilder csv = new StringBuilder("x,stars\n");
    for (int i = 0; i < 100; i++) {
      csv.append(i * 7 % 13).append(',').append(i % 5 + 1).append('\n');
    }
    Path sample = Files.writeString(folder.resolve("stars.csv"), csv);

    assertThat(init(sample, "stars")).contains("label: { field: stars, type: class, classes: 5 }");
    assertThat(init(sample, "stars", "--label-type", "number"))
        .contains("label: { field: stars, type: number }   # 1 to 5")
        .contains("model: linear");
    assertThat(init(sample, "x", "--label-type", "class"))
        .contains("label: { field: x, type: class, classes: 13 }");
  }

  @Test
  void shouldWriteForASenderOverTcp() throws IOException {
    Path sample = Files.writeString(folder.resolve("payments.csv"), payments(400));

    init(sample, "fraud", "--source", "tcp", "--name", "till");

    Config config = ConfigReader.read(folder.resolve("made.yaml"), List.of());
    assertThat(config.name()).isEqualTo("till");
    assertThat(Sources.names(config)).containsExactly("tcp");
    assertThat(config.schema().types())
        .isEqualTo(
            Map.of(
                "amount", FieldType.NUMBER,
                "hour", FieldType.NUMBER,
                "weekend", FieldType.FLAG,
                "country", FieldType.CATEGORY,
                "till", FieldType.CATEGORY));
  }

  @Test
  void shouldNameTheNearestColumnForAWrongLabel() throws IOException {
    Path sample = Files.writeString(folder.resolve("p.csv"), payments(20));

    assertThat(fails("init", "" + sample, "--label", "freud"))
        .contains("--label: %s has no column 'freud'; did you mean fraud?".formatted(sample))
        .contains("Columns: id, time, amount, hour, weekend, country, till, shop, fraud");
  }

  @Test
  void shouldOverwriteNothingUnasked() throws IOException {
    Path sample = Files.writeString(folder.resolve("p.csv"), payments(400));
    Path mine = Files.writeString(folder.resolve("mine.yaml"), "mine");

    assertThat(fails("init", "" + sample, "--label", "fraud", "--out", "" + mine))
        .contains("--out: %s is there already".formatted(mine))
        .contains("--force");
    assertThat(mine).hasContent("mine");
    assertThat(fails("init", "" + sample, "--label", "fraud", "--out", "" + mine, "--force"))
        .isEmpty();
    assertThat(mine).content().contains("name: p\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                  | y | has no rows to look at",
        "x,y\\n              | y | has no rows to look at",
        "x,y\\n1,a\\n2,a\\n  | y | y is always a in these rows; there is nothing to tell apart",
        "x,y\\n1,\\n2,\\n    | y | y is always empty",
        "x,y\\n1,a\\n1,b\\n  | y | no column to learn from; left out: x (always 1)",
        "x,x,y\\n1,2,3\\n    | y | column 'x' is named twice in the first row",
        "{\"a\": 1\\n        | y | expected",
      })
  void shouldSayWhatIsWrongWithASample(String text, String label, String message)
      throws IOException {
    Path sample = Files.writeString(folder.resolve("s.csv"), text.replace("\\n", "\n"));

    assertThat(fails("init", "" + sample, "--label", label, "--out", "-"))
        .startsWith("penstock: init: ")
        .contains(message)
        .doesNotContain("\tat ");
  }

  @Test
  void shouldSayThatThereIsNoSample() {
    Path sample = folder.resolve("no.csv");

    assertThat(fails("init", "" + sample, "--label", "y"))
        .contains("init: cannot read %s (there is no such file)".formatted(sample));
  }

  /** Writes made.yaml, and returns it. */
  private String init(Path sample, String label, String... more) throws IOException {
    Path out = folder.resolve("made.yaml");
    List<String> args =
        new ArrayList<>(
            List.of("init", "" + sample, "--label", label, "--out", "" + out, "--force"));
    args.addAll(List.of(more));
    assertThat(fails(args.toArray(String[]::new))).isEmpty();
    return Files.readString(out);
  }

  /** What a command says that fails as wrong usage; empty: it does not fail. */
  private static String fails(String... args) {
    Capture capture = new Capture();
    int code = Penstock.run(new Wiring(), capture.terminal(0), args);
    assertThat(code).as(capture.err()).isIn(ExitCode.OK, ExitCode.USAGE);
    return code == ExitCode.OK ? "" : capture.err();
  }

  private JsonNode checkAndTrain(long maxRecords) throws IOException {
    String config = folder.resolve("made.yaml").toString();
    Path report = folder.resolve("report.json");
    Capture capture = new Capture();
    int checked =
        Penstock.run(new Wiring(), capture.terminal(0), "check", config, "--set", "http=none");
    assertThat(checked).as(capture.out()).isEqualTo(ExitCode.OK);
    int trained =
        Penstock.run(
            new Wiring(),
            capture.terminal(0),
            "train",
            config,
            "--report",
            report.toString(),
            "--max-records",
            Long.toString(maxRecords),
            "--set",
            "http=none",
            "--set",
            "errors.deadLetters=" + folder.resolve("dead.jsonl"),
            "--set",
            "checkpoint.directory=" + folder.resolve("state"));
    assertThat(trained).as(capture.err() + capture.out()).isEqualTo(ExitCode.OK);
    return JsonMapper.shared().readTree(Files.readString(report));
  }
}
