package io.penstock.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What may come from outside and must not: through the real command line, and real sockets where rows are concerned. */
class BadInputTest {
  private static final int GOOD = 500;
  private static final String GARBAGE = "\u00ff\u00fe\0\u0007\u0080\"\u0003";
  private static final List<String> BAD =
      List.of(
          "1,2,3",
          "1,2,3,0,city1,low,9",
          "NaN,2,3,0,city1,low",
          "1,Infinity,3,0,city1,low",
          "1,2,-inf,0,city1,low",
          "1,2,1e39,0,city1,low",
          "one,2,3,0,city1,low",
          "1,2,3,7,city1,low",
          ",2,3,0,city1,low",
          "1,2,3,0,city1,medium");

  private static final String RUN =
      """
      batch: { size: 32, maxDelay: none }
      http: none
      """;

  private static final String LEARNING_RUN = TestCsv.LEARNING + RUN;

  private @TempDir Path folder;

  @Test
  void shouldKeepEachBadRowWithItsPositionAndReasonAndGoOn() throws Exception {
    String errors =
        "errors: { deadLetters: '" + folder.resolve("dead.jsonl") + "', maxRate: 50% }\n";
    Console train = train(tcp("endAfterConnections: 1, maxLineBytes: 64KiB") + errors);
    byte[] good = TestCsv.rows(1, GOOD).getBytes(UTF_8);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), train.port());
        OutputStream out = socket.getOutputStream()) {
      out.write(good);
      out.write((GARBAGE + "\n1,2,3,0,\u00e9,low\n").getBytes(ISO_8859_1));
      writeLongLine(out);
      for (String bad : BAD) {
        out.write((bad + "\n").getBytes(UTF_8));
      }
      out.write(good, TestCsv.HEADER.length(), good.length - TestCsv.HEADER.length());
    }

    String summary = train.outAfter(ExitCode.OK);

    assertThat(summary)
        .contains("Trained on 1,000 rows")
        .contains(
            "rejected     13 rows (columnCount 2, number 5, flag 1, missing 1, label 1, tooLong 1, syntax 2), kept in "
                + folder.resolve("dead.jsonl"));
    List<JsonNode> dead =
        Files.readAllLines(folder.resolve("dead.jsonl")).stream()
            .map(line -> JsonMapper.shared().readTree(line))
            .toList();
    assertThat(dead)
        .allMatch(letter -> letter.get("source").asString().equals("tcp"))
        .allMatch(letter -> letter.get("partition").asInt() == 0)
        .extracting(
            letter ->
                "%d %s | %s"
                    .formatted(
                        letter.get("row").asLong(),
                        letter.get("reason").asString(),
                        letter.get("detail").asString()))
        .satisfies(
            letters ->
                assertThat(letters.getFirst())
                    .startsWith("500 syntax | column 1: a quoted value must end with its quote"))
        .endsWith(
            "501 syntax | city: must be UTF-8, not '\ufffd'",
            "502 tooLong | the row is 104857600 bytes long; at most 65536 are taken",
            "503 columnCount | 3 columns, where there must be 6",
            "504 columnCount | 7 columns, where there must be 6",
            "505 number | x0: must be a finite decimal number in the range of a float, not 'NaN'",
            "506 number | x1: must be a finite decimal number in the range of a float, not 'Infinity'",
            "507 number | x2: must be a finite decimal number in the range of a float, not '-inf'",
            "508 number | x2: must be a finite decimal number in the range of a float, not '1e39'",
            "509 number | x0: must be a finite decimal number in the range of a float, not 'one'",
            "510 flag | flag: must be 0 or 1, not '7'",
            "511 missing | x0: a value is needed (or an impute step), not ''",
            "512 label | y: must be one of the classes low, high, not 'medium'");
    assertThat(dead)
        .extracting(BadInputTest::raw)
        .startsWith(GARBAGE, "1,2,3,0,\u00e9,low")
        .endsWith(BAD.toArray(String[]::new));
    assertThat(raw(dead.get(2))).matches("x{4096}");
  }

  /** The row as it came, its bytes as ISO 8859-1. */
  private static String raw(JsonNode letter) {
    return letter.has("raw")
        ? letter.get("raw").asString()
        : new String(Base64.getDecoder().decode(letter.get("rawBase64").asString()), ISO_8859_1);
  }

  /** 100 MB, never in memory as a whole. */
  private static void writeLongLine(OutputStream out) throws IOException {
    byte[] part = new byte[1 << 20];
    Arrays.fill(part, (byte) 'x');
    for (int i = 0; i < 100; i++) {
      out.write(part);
    }
    out.write('\n');
  }

  @Test
  void shouldEndTheRunWithWhatWasTrainedWhenTooManyRowsAreRejected() throws Exception {
    Console train = train(tcp("endAfterConnections: none"));
    StringBuilder rows = new StringBuilder(TestCsv.rows(1, 2000));
    rows.append("1,2,3\n".repeat(100));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), train.port());
        OutputStream out = socket.getOutputStream()) {
      out.write(rows.toString().getBytes(UTF_8));
      out.flush();

      assertThat(train.outAfter(ExitCode.FAILED))
          .containsPattern(
              "^The run failed: \\d+ of [\\d,]+ rows rejected \\(\\d%\\), more than errors.maxRate allows \\(1%\\)\nTrained on ")
          .containsPattern("rejected     \\d+ rows \\(columnCount \\d+\\), not kept");
    }

    JsonNode report = JsonMapper.shared().readTree(Files.readString(folder.resolve("report.json")));
    assertThat(report.get("failure").asString()).contains("errors.maxRate");
    assertThat(report.get("rejected").asLong()).isBetween(20L, 100L);
    assertThat(report.get("records").asLong()).isBetween(1L, 2000L);
    assertThat(report.get("weightsSha256").asString()).hasSize(64);
  }

  @Test
  void shouldSayThatThePortIsInUse() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThat(refused("source: { tcp: { port: %d } }%n".formatted(port)))
          .isEqualTo(
              "penstock: source.tcp: cannot listen on 127.0.0.1:%d: Address already in use; end what listens there, or set source.tcp.port to a free one (0: any) and source.tcp.bind to an address of this machine%n",
              port);
    }
  }

  @Test
  void shouldSayWhyAFileCannotBeRead() throws Exception {
    Path missing = folder.resolve("none.csv");
    assertThat(refused("source: { file: { path: '%s' } }%n".formatted(missing)))
        .isEqualTo(
            "penstock: source.file.path: cannot read '%s' (there is no such file); name a file that this user may read%n",
            missing);
    assertThat(refused("source: { file: { path: '%s' } }%n".formatted(folder)))
        .isEqualTo(
            "penstock: source.file.path: cannot read '%s' (Is a directory); name a file that this user may read%n",
            folder);
  }

  @Test
  void shouldNameAnUnknownKeyAndWhereItIs() throws Exception {
    assertThat(refused("source: { tcp: { prot: 9 } }\n"))
        .isEqualTo(
            "penstock: %s:1:18: source.tcp.prot is not known; did you mean port? Allowed: port, bind, insecure, format, maxLineBytes, maxConnections, idleTimeout, endAfterConnections, feed, acknowledge, token%n",
            folder.resolve("run.yaml"));
  }

  @Test
  void shouldRefuseASingleClass() throws Exception {
    assertThat(refused("source: { tcp: { port: 0 } }\n", "[low, high]", "1"))
        .isEqualTo(
            "penstock: %s:3:44: schema.label.classes must be 2 to 65536, not 1%n",
            folder.resolve("run.yaml"));
  }

  private static String tcp(String more) {
    return "source: { tcp: { port: 0, " + more + " } }\n" + LEARNING_RUN;
  }

  private Console train(String yaml) throws IOException {
    return Console.train(
        Files.writeString(folder.resolve("run.yaml"), yaml), folder.resolve("report.json"));
  }

  /** What is said about a source that cannot be had. */
  private String refused(String source) throws Exception {
    return refused(source, "", "");
  }

  /** The same, with {@code old} in the rest of the configuration replaced. */
  private String refused(String source, String old, String by) throws Exception {
    Console train = train(source + (old.isEmpty() ? LEARNING_RUN : LEARNING_RUN.replace(old, by)));
    assertThat(train.outAfter(ExitCode.USAGE)).isEmpty();
    assertThat(folder.resolve("report.json")).doesNotExist();
    return train.err();
  }
}
