package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.checkpoint.CheckpointDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is said about checkpoints that real runs have written. */
class InspectTest {
  private static final String BAD = "1,2,3,7,city1,low\n";

  private @TempDir Path folder;

  @Test
  void shouldSayTheSameAsTheReportOfTheRunThatWroteIt() throws Exception {
    JsonNode report = train("a", TestCsv.rows(1, 1000) + BAD, "");

    JsonNode found = JsonMapper.shared().readTree(inspect(0, checkpoints("a"), "--json"));

    assertThat(found.get("weightsSha256")).isEqualTo(report.get("weightsSha256"));
    assertThat(found.get("ledger")).isEqualTo(report.get("ledger"));
    assertThat(found.get("prequential")).isEqualTo(report.get("prequential"));
    assertThat(found.get("version")).isEqualTo(report.get("version"));
    assertThat(found.at("/loss/mean").asDouble()).isBetween(0.1, 1.5);
    assertThat(found.at("/loss/spread").asDouble()).isBetween(0.001, 0.5);
    assertThat(found.at("/steps/applied")).isEqualTo(report.get("batches"));
    assertThat(found.get("file")).isEqualTo(report.at("/checkpoint/file"));
    assertThat(found.get("bytes")).isEqualTo(report.at("/checkpoint/bytes"));
    assertThat(found.at("/positions/0").toString())
        .startsWith("{\"source\":\"file\",\"partition\":0,\"nextRow\":1001,\"nextOffset\":");
    assertThat(found.get("columns").toString())
        .isEqualTo("[\"x0\",\"x1\",\"x2\",\"flag\",\"city\",\"y\"]");
    assertThat(found.get("features")).hasSize(8);
    assertThat(found.at("/configuration/model/mlp/hidden").toString()).isEqualTo("[16]");
    assertThat(found.at("/parameters/0/shape").toString()).isEqualTo("[8,16]");
    assertThat(found.at("/operatorBytes/x0").asLong()).isPositive();
  }

  @Test
  void shouldBeReadOnAHundredColumns() throws Exception {
    JsonNode report = train("a", TestCsv.rows(1, 1000) + BAD, "");

    String page = inspect(0, checkpoints("a"));

    assertThat(page.lines()).noneMatch(line -> line.contains("&id"));
    assertThat(page.lines()).allMatch(line -> line.length() <= 100 || line.contains("/"));
    assertThat(page)
        .startsWith("Checkpoint 2 of run a, of 20")
        .contains("weights      sha256 " + report.get("weightsSha256").asString())
        .containsPattern("rows         trained +1,000   [0-9a-f]{32}\n")
        .containsPattern("             rejected +1   [0-9a-f]{32}\n")
        .contains("positions    file, partition 0: row 1,001, offset ")
        .contains("steps        32 applied, 0 skipped")
        .containsPattern("\nloss         mean 0\\.\\d+, spread 0\\.\\d+, of the last minibatches\n")
        .contains(
            "accuracy               %12s %12s"
                .formatted(
                    Texts.metric(report.at("/prequential/accuracy").asDouble()),
                    Texts.metric(report.at("/prequential/window/accuracy").asDouble())))
        .containsPattern("layer0.weight +8 × 16 +512 B +-\\d\\.\\d+ +\\d\\.\\d+ +\\d\\.\\d+\n")
        .containsPattern("operators +[\\d.]+ K?i?B: x0 \\d+ B, x1 \\d+ B")
        .contains("features     8: x0, x1, x2, flag, city#0, city#1, city#2, city#3")
        .contains("\n  model:\n    mlp:\n");
  }

  @Test
  void shouldSayWhatDiffersBetweenTwo() throws Exception {
    train("a", TestCsv.rows(1, 1000) + BAD, "");
    train("b", TestCsv.rows(1, 1400), "seed: 7\n");

    String page = inspect(0, checkpoints("a"), "--diff", checkpoints("b"));

    assertThat(page)
        .containsPattern("\nname +a +b\n")
        .contains(
            "checkpoint.directory           %s\n                             → %s\n"
                .formatted(checkpoints("a"), checkpoints("b")))
        .containsPattern("\nseed +42 +7\n")
        .containsPattern("\ntrained +1,000 +1,400 +\\+400\n")
        .containsPattern("\nrejected +1 +0 +-1\n")
        .containsPattern("\nfile, partition 0 +1,001 +1,400 +\\+399\n")
        .containsPattern("\nlog loss +0\\.\\d+ +0\\.\\d+ +[+-]0\\.\\d+\n")
        .containsPattern("\nlayer0.weight +\\d\\.\\d+ +\\d\\.\\d+\n")
        .doesNotContain("model", "NaN");

    JsonNode json =
        JsonMapper.shared()
            .readTree(inspect(0, checkpoints("a"), "--diff", checkpoints("b"), "--json"));
    assertThat(json.at("/rows/0").toString())
        .isEqualTo("{\"name\":\"trained\",\"one\":1000,\"other\":1400}");
    assertThat(json.at("/weights/0/mostApart").asDouble()).isPositive();
  }

  @Test
  void shouldSayThatNothingDiffersFromItself() throws Exception {
    train("a", TestCsv.rows(1, 200), "");

    assertThat(inspect(0, checkpoints("a"), "--diff", checkpoints("a")))
        .endsWith("\n\nNo difference in configuration, rows, positions, metrics and weights.\n");
  }

  @Test
  void shouldShowTheShapesOfTensorsThatCannotBeCompared() throws Exception {
    train("a", TestCsv.rows(1, 200), "");
    train("b", TestCsv.rows(1, 200), "", "--set", "model.mlp.hidden=[8, 4]");

    assertThat(inspect(0, checkpoints("a"), "--diff", checkpoints("b")))
        .containsPattern("\nmodel.mlp.hidden +\\[16\\] +\\[8, 4\\]\n")
        .containsPattern("\nlayer0.weight +8 × 16 → 8 × 8\n")
        .containsPattern("\nlayer2.bias +none → \\d\n");
  }

  @Test
  void shouldTakeTheNewestWholeOneOfAFolder() throws Exception {
    train("a", TestCsv.rows(1, 1000), "");
    train("a", TestCsv.rows(1, 1400), "");
    List<Path> files = CheckpointDirectory.files(Path.of(checkpoints("a")));
    assertThat(files).hasSize(3);
    Files.write(files.getLast(), new byte[] {1, 2, 3});

    assertThat(inspect(0, checkpoints("a")))
        .contains("file         " + files.get(files.size() - 2));
  }

  @Test
  void shouldSayInOneLineWhyAFileCannotBeInspected() throws Exception {
    train("a", TestCsv.rows(1, 200), "");
    Path whole = CheckpointDirectory.files(Path.of(checkpoints("a"))).getLast();
    byte[] bytes = Files.readAllBytes(whole);
    byte[] flipped = bytes.clone();
    flipped[bytes.length / 2] ^= 1;
    Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, bytes.length - 9));
    Path damaged = Files.write(folder.resolve("damaged"), flipped);
    Path foreign = Files.write(folder.resolve("foreign.safetensors"), foreign());
    Path text = Files.writeString(folder.resolve("text.yaml"), "name: a\n".repeat(20));
    Path empty = Files.createDirectory(folder.resolve("empty"));

    assertThat(refusal(cut)).endsWith("it was cut off or changed\n");
    assertThat(refusal(damaged)).endsWith("it was cut off or changed\n");
    assertThat(refusal(foreign))
        .isEqualTo(
            "penstock: inspect: %s: is a safetensors file, but no checkpoint of Penstock; train --weights FILE can begin with its weights\n",
            foreign);
    assertThat(refusal(text)).contains("is not a whole safetensors file");
    assertThat(refusal(empty)).isEqualTo("penstock: inspect: %s: has no checkpoint\n", empty);
    assertThat(refusal(folder.resolve("none")))
        .isEqualTo(
            "penstock: inspect: %s: there is no such file or folder\n", folder.resolve("none"));
  }

  private static byte[] foreign() {
    byte[] header =
        "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[0,64]}}"
            .getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(8 + header.length + 64)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  private String refusal(Path checkpoint) {
    Capture capture = new Capture();
    assertThat(Penstock.run(new Wiring(), capture.terminal(100), "inspect", checkpoint.toString()))
        .as(capture.err())
        .isEqualTo(ExitCode.USAGE);
    assertThat(capture.out()).isEmpty();
    assertThat(capture.err().lines()).hasSize(1);
    return capture.err();
  }

  private static String inspect(int code, String... arguments) {
    Capture capture = new Capture();
    String[] all = new String[arguments.length + 1];
    all[0] = "inspect";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    assertThat(Penstock.run(new Wiring(), capture.terminal(100), all))
        .as(capture.err())
        .isEqualTo(code);
    return capture.out();
  }

  /** Trains on a file of these rows to its end; returns the report. */
  private JsonNode train(String name, String rows, String more, String... options)
      throws Exception {
    Path data = Files.writeString(folder.resolve(name + ".csv"), rows);
    Path config =
        Files.writeString(
            folder.resolve(name + ".yaml"),
            "name: %s\nsource: { file: { path: '%s' } }\n".formatted(name, data)
                + TestCsv.LEARNING
                + "batch: { size: 32, maxDelay: none }\nhttp: none\n"
                + "checkpoint: { directory: '%s', every: none }\n".formatted(checkpoints(name))
                + more);
    Path report = folder.resolve(name + ".json");
    String[] all = new String[options.length + 4];
    System.arraycopy(
        new String[] {"train", config.toString(), "--report", report.toString()}, 0, all, 0, 4);
    System.arraycopy(options, 0, all, 4, options.length);
    Console.start(all).outAfter(ExitCode.OK);
    return read(report);
  }

  private static JsonNode read(Path report) throws IOException {
    return JsonMapper.shared().readTree(Files.readString(report));
  }

  private String checkpoints(String name) {
    return folder.resolve(name + "-state").toString();
  }
}
