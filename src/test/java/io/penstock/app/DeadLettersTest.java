package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Rejections.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DeadLettersTest {
  private static final PartitionCursor THIRD = new PartitionCursor(0, 3, 0, 0);

  private @TempDir Path folder;
  private Path file = Path.of("");

  @BeforeEach
  void chooseFile() {
    file = folder.resolve("run/dead");
  }

  @Test
  void shouldWriteALineForEachRowWithPositionReasonAndText() throws IOException {
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      reject(letters, 17, Reason.COLUMN_COUNT, "3 values, not 2", "1,\"é\n\",\t3");
      reject(letters, 18, Reason.LABEL, "label: 'Z' is none of [A, B]", "1,Z");
    }

    List<JsonNode> lines = lines();
    assertThat(lines).hasSize(2);
    assertThat(lines.getFirst().toString())
        .isEqualTo(
            """
            {"source":"tcp","partition":3,"row":17,"reason":"columnCount","detail":"3 values, not 2","raw":"1,\\"é\\n\\",\\t3"}""");
    assertThat(lines.getLast().get("reason").asString()).isEqualTo("label");
  }

  @Test
  void shouldKeepBytesThatAreNoTextAsBase64() throws IOException {
    byte[] raw = {'a', (byte) 0xff, (byte) 0xfe, 'b'};
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      letters.reject(THIRD, 0, Reason.SYNTAX, "not UTF-8", raw, 0, raw.length);
    }

    JsonNode line = lines().getFirst();
    assertThat(Base64.getDecoder().decode(line.get("rawBase64").asString())).isEqualTo(raw);
    assertThat(line.has("raw")).isFalse();
  }

  @Test
  void shouldWriteOnlyTheRowsOwnPartOfTheArray() throws IOException {
    byte[] buffer = "before|row|after".getBytes(StandardCharsets.UTF_8);
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      letters.reject(THIRD, 0, Reason.NUMBER, "", buffer, 7, 10);
    }

    assertThat(lines().getFirst().get("raw").asString()).isEqualTo("row");
  }

  @Test
  void shouldCutALongRowBetweenCharactersAndSaySo() throws IOException {
    String row = "x" + "é".repeat(DeadLetters.MAX_RAW_BYTES);
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      reject(letters, 0, Reason.TOO_LONG, "longer than 1 MiB", row);
    }

    JsonNode line = lines().getFirst();
    assertThat(line.get("rawCut").asBoolean()).isTrue();
    String kept = line.get("raw").asString();
    assertThat(row).startsWith(kept);
    assertThat(kept.getBytes(StandardCharsets.UTF_8).length)
        .isBetween(DeadLetters.MAX_RAW_BYTES - 1, DeadLetters.MAX_RAW_BYTES);
  }

  @Test
  void shouldShowRowsAfterAFlushAndAppendToWhatIsThere() throws IOException {
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      reject(letters, 0, Reason.FLAG, "", "a");
      letters.flush();
      assertThat(lines()).hasSize(1);
    }
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      reject(letters, 0, Reason.FLAG, "", "b");
    }

    assertThat(lines()).hasSize(2);
  }

  @Test
  void shouldMoveAFullFileAsideAndDeleteTheOldest() throws IOException {
    try (DeadLetters letters = DeadLetters.to(new RotatedFile(file, 250, 2), List.of("tcp"))) {
      for (int i = 0; i < 11; i++) {
        reject(letters, i, Reason.FLAG, "", "a");
      }
      assertThat(letters.deleted()).isEqualTo(new RotatedFile.Deleted(1, 3));
      assertThat(letters.count()).isEqualTo(11);
    }

    assertThat(rows("dead.2")).containsExactly(3L, 4L, 5L);
    assertThat(rows("dead.1")).containsExactly(6L, 7L, 8L);
    assertThat(rows("dead")).containsExactly(9L, 10L);
    assertThat(file.resolveSibling("dead.3")).doesNotExist();
    assertThat(Files.size(file.resolveSibling("dead.1"))).isLessThanOrEqualTo(250);
  }

  @Test
  void shouldCountWhatIsThereAlreadyAndDeleteWhatIsNoLongerToBeKept() throws IOException {
    try (DeadLetters letters = DeadLetters.to(new RotatedFile(file, 120, 3), List.of("tcp"))) {
      for (int i = 0; i < 4; i++) {
        reject(letters, i, Reason.FLAG, "", "a");
      }
    }
    try (DeadLetters letters = DeadLetters.to(new RotatedFile(file, 120, 1), List.of("tcp"))) {
      reject(letters, 4, Reason.FLAG, "", "a");
      assertThat(letters.deleted()).isEqualTo(new RotatedFile.Deleted(3, 3));
    }

    assertThat(rows("dead.1")).containsExactly(3L);
    assertThat(rows("dead")).containsExactly(4L);
  }

  @Test
  void shouldEndALineThatACrashHasCutOff() throws IOException {
    Files.createDirectories(folder.resolve("run"));
    Files.writeString(file, "{\"source\":\"tc");
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      reject(letters, 4, Reason.FLAG, "", "a");
    }

    assertThat(Files.readAllLines(file)).hasSize(2);
    assertThat(Files.readAllLines(file).getLast()).startsWith("{\"source\":\"tcp\",");
  }

  @Test
  void shouldKeepTheHeaderAndSayWhatIsOnlyAPart() throws IOException {
    PartitionCursor cursor = new PartitionCursor(0, 3, 0, 0);
    cursor.header("a,\"b \"\"c\"");
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"))) {
      letters.reject(cursor, 0, Reason.SYNTAX, Rejections.TORN, new byte[] {'1'}, 0, 1);
      letters.reject(cursor, 1, Reason.TOO_LONG, "", new byte[] {'1'}, 0, 1);
      letters.reject(cursor, 2, Reason.NUMBER, "", new byte[] {'1'}, 0, 1);
    }

    assertThat(lines())
        .extracting(line -> line.get("header").asString())
        .containsOnly("a,\"b \"\"c\"");
    assertThat(lines()).extracting(line -> line.has("rawCut")).containsExactly(true, true, false);
  }

  private List<Long> rows(String name) throws IOException {
    return Files.readAllLines(file.resolveSibling(name)).stream()
        .map(line -> JsonMapper.shared().readTree(line).get("row").asLong())
        .toList();
  }

  @Test
  void shouldCountByReasonFromManyThreads() throws Exception {
    try (DeadLetters letters = DeadLetters.to(file, List.of("tcp"));
        var threads = Executors.newFixedThreadPool(4)) {
      for (int t = 0; t < 4; t++) {
        threads.execute(
            () -> {
              for (int i = 0; i < 500; i++) {
                reject(letters, i, i % 2 == 0 ? Reason.NUMBER : Reason.TIME, "d", "1,2");
              }
            });
      }
      threads.shutdown();
      assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
      assertThat(letters.count()).isEqualTo(2000);
      assertThat(letters.byReason()).containsOnlyKeys(Reason.NUMBER, Reason.TIME);
      assertThat(letters.count(Reason.TIME)).isEqualTo(1000);
    }
    assertThat(lines()).hasSize(2000);
  }

  @Test
  void shouldOnlyCountWhereNoFileIsWanted() {
    try (DeadLetters letters = DeadLetters.countedOnly()) {
      reject(letters, 0, Reason.WEIGHT, "", "a");
      assertThat(letters.count()).isEqualTo(1);
      assertThat(letters.file()).isNull();
    }
  }

  @Test
  void shouldRefuseAFileThatCannotBeWritten() throws IOException {
    Path notAFolder = Files.writeString(folder.resolve("f"), "");

    assertThatThrownBy(() -> DeadLetters.to(notAFolder.resolve("dead"), List.of()))
        .isInstanceOf(StartException.class)
        .hasMessageStartingWith("errors.deadLetters: cannot write " + notAFolder.resolve("dead"))
        .hasMessageContaining("not a folder");
  }

  @Test
  void shouldGoOnCountingWhenTheDiskIsFull() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "needs /dev/full, which this system lacks");
    try (DeadLetters letters = DeadLetters.to(full, List.of("tcp"))) {
      reject(letters, 0, Reason.FLAG, "", "a");
      letters.flush();
      reject(letters, 1, Reason.FLAG, "", "b");

      assertThat(letters.count()).isEqualTo(2);
      assertThat(letters.failure()).hasMessageContaining("No space left");
    }
  }

  private static void reject(
      DeadLetters letters, long row, Reason reason, String detail, String raw) {
    byte[] bytes = raw.getBytes(StandardCharsets.UTF_8);
    letters.reject(THIRD, row, reason, detail, bytes, 0, bytes.length);
  }

  private List<JsonNode> lines() throws IOException {
    JsonMapper json = JsonMapper.shared();
    return Files.readAllLines(file).stream().map(json::readTree).toList();
  }
}
