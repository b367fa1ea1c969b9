package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.ingest.codec.JsonLines;
import io.penstock.ingest.netty.Feed;
import io.penstock.ingest.netty.ProducerFeed;
import io.penstock.trainer.cpu.CpuDevice;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same rows as CSV and as JSON, by every way that takes lines: equal to the bit. */
class JsonRunTest {
  private static final String MODEL =
      """
      schema:
        label: { field: label, classes: [no, "ye\\"s"] }
        weight: meta.weight
        fields:
          user.age: { type: number, min: 0 }
          "[\\"a.b\\"]": number
          user.city: category
          e: { type: vector, size: 3 }
      features:
        - oneHot: { fields: user.city, capacity: 8 }
        - standardize: { fields: [number, e] }
      batch: { size: 32, maxDelay: none }
      model: { logistic: { initial: zero } }
      optimizer: { adam: { learningRate: 0.01 } }
      http: none
      """;
  private static final List<String> NAMES =
      List.of("user.age", "[\"a.b\"]", "user.city", "e[0]", "e[1]", "e[2]", "meta.weight", "label");

  @TempDir private Path folder = Path.of("");

  @Test
  void shouldTrainTheSameWeightsFromJsonAsFromCsvOverTcp() throws IOException {
    RunSnapshot csv = overTcp(csv(3000), "csv");
    RunSnapshot json = overTcp(json(3000), "json");

    assertThat(csv.rows().trained()).isEqualTo(3000);
    assertThat(json.outcome().weightsSha256()).isEqualTo(csv.outcome().weightsSha256());
    assertThat(json.cumulative()).isEqualTo(csv.cumulative());
  }

  @Test
  void shouldTrainTheSameWeightsFromJsonWithAcknowledgements() throws IOException {
    String expected = overTcp(csv(1000), "csv").outcome().weightsSha256();
    String listener =
        "source: { tcp: { port: 0, acknowledge: { endAfterProducers: 1 }, format: json } }\n";
    try (Run run = Runs.of(listener + MODEL, new Rejected(), 0)) {
      run.start();
      new ProducerFeed("127.0.0.1", Runs.port(run), "a", 0, Duration.ofSeconds(30), false, null)
          .file(json(1000));
      RunSnapshot end = Runs.end(run);
      assertThat(end.rows().trained()).isEqualTo(1000);
      assertThat(end.outcome().weightsSha256()).isEqualTo(expected);
    }
  }

  /** It is read three times, and left in the third. */
  @ParameterizedTest
  @CsvSource({"csv, ''", "json, ''", "csv, .gz", "json, .gz"})
  void shouldGoOnInTheMiddleOfAPassAsIfItHadNotBeenStopped(String format, String packed)
      throws IOException {
    Path file = pack(format.equals("csv") ? csv(2000) : json(2000), packed);
    String yaml =
        "source: { file: { path: '%s', passes: 4, format: %s } }%n".formatted(file, format) + MODEL;
    RunSnapshot whole = Runs.train(yaml);
    assertThat(whole.rows().trained()).isEqualTo(8000);
    RunSnapshot once = Runs.train(yaml, "source.file.passes=1");
    assertThat(once.rows().trained()).isEqualTo(2000);

    String kept =
        yaml + "checkpoint: { directory: '%s', every: none }%n".formatted(folder.resolve("kept"));
    RunOptions some = new RunOptions(5003, Beginning.RESUMED, new Rejected());
    try (Run run = TrainingRun.of(Config.parse(kept), some, new CpuDevice(), Disk.REAL)) {
      run.start();
      assertThat(Runs.end(run).rows().trained()).isEqualTo(5003);
    }
    RunOptions rest = new RunOptions(0, Beginning.RESUMED, new Rejected());
    try (Run run = TrainingRun.of(Config.parse(kept), rest, new CpuDevice(), Disk.REAL)) {
      run.start();
      RunSnapshot end = Runs.end(run);
      assertThat(end.rows().trained()).isEqualTo(8000);
      assertThat(end.outcome().weightsSha256()).isEqualTo(whole.outcome().weightsSha256());
    }
  }

  @Test
  void shouldTakePatternsFromTheFirstRowOfAFile() throws IOException {
    String yaml =
        """
        source: { file: { path: '%s', format: json } }
        schema: { label: { field: label, classes: [no, "ye\\"s"] }, fields: { "user.a*": number, "e*": number } }
        features: [ standardize: { fields: "*" } ]
        batch: { maxDelay: none }
        model: { logistic: { initial: zero } }
        http: none
        """
            .formatted(json(500));
    assertThat(Runs.train(yaml).rows().trained()).isEqualTo(500);
  }

  @Test
  void shouldTrainTheSameWeightsFromKddCup99AsCsvAndAsJson() throws IOException {
    List<String> lines = Runs.lines(Runs.shared("kddcup99/kddcup.data_10_percent.gz"));
    List<String> names =
        List.of(
            ("duration protocol_type service flag src_bytes dst_bytes land wrong_fragment urgent hot "
                    + "num_failed_logins logged_in num_compromised root_shell su_attempted num_root "
                    + "num_file_creations num_shells num_access_files num_outbound_cmds is_host_login "
                    + "is_guest_login count srv_count serror_rate srv_serror_rate rerror_rate srv_rerror_rate "
                    + "same_srv_rate diff_srv_rate srv_diff_host_rate dst_host_count dst_host_srv_count "
                    + "dst_host_same_srv_rate dst_host_diff_srv_rate dst_host_same_src_port_rate "
                    + "dst_host_srv_diff_host_rate dst_host_serror_rate dst_host_srv_serror_rate "
                    + "dst_host_rerror_rate dst_host_srv_rerror_rate label")
                .split(" ", -1));
    Set<String> texts = Set.of("protocol_type", "service", "flag", "label");
    Set<String> classes = new TreeSet<>();
    StringBuilder fields = new StringBuilder();
    for (String name : names.subList(0, 41)) {
      fields.append("    %s: %s%n".formatted(name, texts.contains(name) ? "category" : "number"));
    }
    Path json = folder.resolve("kdd.ndjson");
    Path csv = folder.resolve("kdd.csv");
    JsonLines objects = new JsonLines(names);
    try (Writer asJson = Files.newBufferedWriter(json);
        Writer asCsv = Files.newBufferedWriter(csv)) {
      asCsv.write(String.join(",", names) + "\n");
      StringBuilder line = new StringBuilder();
      for (String row : lines) {
        asCsv.write(row + "\n");
        List<String> values = new ArrayList<>(List.of(row.split(",", -1)));
        classes.add(values.getLast());
        for (int i = 0; i < values.size(); i++) {
          if (texts.contains(names.get(i))) {
            values.set(i, JsonLines.string(values.get(i)));
          }
        }
        line.setLength(0);
        objects.append(values, line);
        asJson.write(line.toString());
      }
    }
    String yaml =
        """
        schema:
          label: { field: label, classes: %s }
          fields:
        %sfeatures: [ oneHot: { fields: category, capacity: 80 }, standardize: { fields: number } ]
        batch: { size: 256, maxDelay: none }
        model: { mlp: { hidden: [16] } }
        optimizer: { adam: { learningRate: 0.003 } }
        http: none
        """
            .formatted(classes, fields);

    RunSnapshot first = overTcp(csv, "csv", yaml);
    RunSnapshot second = overTcp(json, "json", yaml);

    assertThat(first.rows().trained()).isEqualTo(494_021);
    assertThat(second.rows().trained()).isEqualTo(494_021);
    assertThat(second.outcome().weightsSha256()).isEqualTo(first.outcome().weightsSha256());
    assertThat(second.cumulative()).isEqualTo(first.cumulative());
  }

  private static RunSnapshot overTcp(Path file, String format) {
    return overTcp(file, format, MODEL);
  }

  private static RunSnapshot overTcp(Path file, String format, String yaml) {
    String listener =
        "source: { tcp: { port: 0, endAfterConnections: 1, format: %s } }\n".formatted(format);
    try (Run run = Runs.of(listener + yaml, new Rejected(), 0)) {
      run.start();
      Feed.to("127.0.0.1", Runs.port(run)).file(file, Feed.hasHeader(file)).block(Runs.LONG);
      return Runs.end(run);
    }
  }

  private Path csv(int rows) throws IOException {
    StringBuilder text =
        new StringBuilder(
            "user.age,\"[\"\"a.b\"\"]\",user.city,e[0],e[1],e[2],meta.weight,label\n");
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < rows; i++) {
      List<String> values = values(random);
      values.replaceAll(value -> '"' + value.replace("\"", "\"\"") + '"');
      text.append(String.join(",", values)).append(i == rows - 1 ? "" : "\n");
    }
    return Files.writeString(folder.resolve("rows.csv"), text);
  }

  private Path json(int rows) throws IOException {
    StringBuilder text = new StringBuilder();
    SplittableRandom random = new SplittableRandom(1);
    JsonLines lines = new JsonLines(NAMES);
    for (int i = 0; i < rows; i++) {
      List<String> values = values(random);
      values.set(2, JsonLines.string(values.get(2)));
      values.set(7, JsonLines.string(values.get(7)));
      lines.append(values, text);
    }
    return Files.writeString(folder.resolve("rows.ndjson"), text.substring(0, text.length() - 1));
  }

  private static List<String> values(SplittableRandom random) {
    List<String> values = new ArrayList<>();
    int age = random.nextInt(100);
    values.add(Integer.toString(age));
    values.add(Double.toString(random.nextDouble(-1e3, 1e3)));
    values.add(
        List.of("Oslo", "São Paulo", "say \"hi\", now", "東京\t", "🦊").get(random.nextInt(5)));
    for (int i = 0; i < 3; i++) {
      values.add(Float.toString(random.nextFloat() - 0.5f));
    }
    values.add(Integer.toString(1 + random.nextInt(3)));
    values.add(age + random.nextInt(30) > 60 ? "ye\"s" : "no");
    return values;
  }

  private static Path pack(Path file, String ending) throws IOException {
    if (ending.isEmpty()) {
      return file;
    }
    Path packed = Path.of(file + ending);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed));
        Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8)) {
      writer.write(Files.readString(file));
    }
    return packed;
  }
}
