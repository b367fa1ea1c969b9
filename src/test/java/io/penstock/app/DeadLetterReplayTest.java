package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Rows that a run has rejected are fed to one that can use them: over real sockets, through the real command line. */
class DeadLetterReplayTest {
  private static final String WRONG = TestCsv.LEARNING.replace("[low, high]", "[low, hihg]");
  private static final String OTHER_HEADER = "y,city,flag,x2,x1,x0\n";

  private @TempDir Path folder;
  private Path dead = Path.of("");

  @BeforeEach
  void chooseFile() {
    dead = folder.resolve("dead.jsonl");
  }

  @Test
  void shouldTrainTheRejectedRowsOnceTheConfigurationIsCorrected() throws Exception {
    String rows = TestCsv.rows(1, 600);
    List<String> high = rows.lines().filter(row -> row.endsWith(",high")).toList();
    Console wrong = train("wrong", WRONG, errors(8_000, 100), 1);
    send(wrong, rows);
    assertThat(wrong.outAfter(ExitCode.OK))
        .contains("rejected     %d rows (label %d), kept in ".formatted(high.size(), high.size()));
    assertThat(RotatedFile.aside(dead)).hasSizeGreaterThan(3);

    Console right = train("right", TestCsv.LEARNING, "", 1);
    Capture feed = feed(right);

    assertThat(right.outAfter(ExitCode.OK))
        .contains("Trained on %d rows".formatted(high.size()))
        .doesNotContain("rejected");
    assertThat(feed.err())
        .contains(
            "dead letters of %d files: %d rows to send\n"
                .formatted(RotatedFile.aside(dead).size() + 1, high.size()))
        .contains("sent %d rows, ".formatted(high.size()));
    // In their order, and as they came: the weights are those of a run that got them in the first
    // place.
    Console direct = train("direct", TestCsv.LEARNING, "", 1);
    send(direct, TestCsv.HEADER + high.stream().collect(Collectors.joining("\n", "", "\n")));
    direct.outAfter(ExitCode.OK);
    assertThat(report("right").get("weightsSha256"))
        .isEqualTo(report("direct").get("weightsSha256"));
  }

  @Test
  void shouldSendRowsBehindTheHeaderThatTheyCameUnder() throws Exception {
    Console wrong = train("wrong", WRONG, errors(1_000_000, 1), 2);
    send(wrong, TestCsv.HEADER + "1,2,3,0,city1,high\n1,2,3,0,city1,low\n");
    send(wrong, OTHER_HEADER + "high,\"Köln, am Rhein\",1,0.5,,1\n");
    assertThat(wrong.outAfter(ExitCode.OK)).contains("rejected     2 rows (label 2)");

    Console right = train("right", TestCsv.LEARNING, "", 2);
    Capture feed = feed(right);

    assertThat(right.outAfter(ExitCode.OK))
        .contains("Trained on 2 rows")
        .doesNotContain("rejected");
    assertThat(feed.err())
        .contains("dead letters of 1 file: 2 rows to send under 2 headers, a connection each\n");
  }

  @Test
  void shouldSayHowManyRowsCannotBeSentAndLeaveThemOut() throws Exception {
    Console wrong = train("wrong", WRONG, errors(1_000_000, 1), 1);
    String longRow = "1,2,3,0," + "x".repeat(3000) + ",low\n";
    send(wrong, TestCsv.HEADER + "1,2,3,0,city1,high\n" + longRow);
    assertThat(wrong.outAfter(ExitCode.OK)).contains("rejected     2 rows (label 1, tooLong 1)");
    Files.writeString(dead, Files.readString(dead) + "{\"source\":\"tcp\",\"part\n");

    Console right = train("right", TestCsv.LEARNING, "", 1);

    assertThat(feed(right).err())
        .contains(
            "dead letters of 1 file: 1 row to send; not sent: 1 row of which only a part was kept, 1 line that cannot be read\n");
    assertThat(right.outAfter(ExitCode.OK)).contains("Trained on 1 row ");
  }

  @Test
  void shouldTrainMendedRowsInTheRunThatGoesOn() throws Exception {
    String more =
        errors(1_000_000, 1)
            + "checkpoint: { directory: '%s' }\n".formatted(folder.resolve("state"));
    Console first = train("first", TestCsv.LEARNING, more, 1);
    send(first, TestCsv.HEADER + "1,2,3,0,city1,high\n1,2,3,0,city1,HIGH\n1,2,3,0,city1,low\n");
    assertThat(first.outAfter(ExitCode.OK)).contains("rejected     1 row (label 1), kept in ");
    Files.writeString(dead, Files.readString(dead).replace("HIGH\"}", "high\"}"));

    Console second = train("second", TestCsv.LEARNING, more, 1);
    feed(second);

    assertThat(second.outAfter(ExitCode.OK))
        .contains("Trained on 3 rows")
        .contains("rejected     1 row (1 by runs before), kept in ");
  }

  @Test
  void shouldSayWhatWasDeletedToMakeRoom() throws Exception {
    Console wrong = train("wrong", WRONG, errors(1000, 1), 1);
    send(wrong, TestCsv.HEADER + "1,2,3,0,city1,high\n".repeat(100));

    assertThat(wrong.outAfter(ExitCode.OK))
        .containsPattern(
            "rejected     100 rows \\(label 100\\), kept in .*\n {13}\\d\\d older files deleted with \\d\\d rows: errors.deadLettersKeep keeps no more\n");
    assertThat(RotatedFile.aside(dead)).hasSize(1);
  }

  @Test
  void shouldEndThoughTheRowsAreRejectedAgainIntoTheSameFile() throws Exception {
    Console wrong = train("wrong", WRONG, errors(1_000_000, 1), 1);
    send(wrong, TestCsv.HEADER + "1,2,3,0,city1,high\n".repeat(500));
    wrong.outAfter(ExitCode.OK);

    Console again = train("again", WRONG, errors(1_000_000, 1), 1);
    feed(again);

    assertThat(again.outAfter(ExitCode.OK)).contains("rejected     500 rows (label 500)");
    assertThat(Files.readAllLines(dead)).hasSize(1000);
  }

  @Test
  void shouldSendAFileThatOnlyLooksLikeJsonAsItIs() throws Exception {
    Path file = Files.writeString(folder.resolve("rows.csv"), "{\"a\": 1}\n1\n");
    assertThat(DeadLetterReplay.of(file)).isEmpty();
  }

  private String errors(int maxBytes, int keep) {
    return "errors: { deadLetters: '%s', deadLettersMaxBytes: %d, deadLettersKeep: %d, maxRate: 100%% }\n"
        .formatted(dead, maxBytes, keep);
  }

  private Console train(String name, String learning, String errors, int connections)
      throws Exception {
    Path config =
        Files.writeString(
            folder.resolve(name + ".yaml"),
            "source: { tcp: { port: 0, maxLineBytes: 2048, endAfterConnections: %d } }\n"
                    .formatted(connections)
                + learning
                + "batch: { size: 32, maxDelay: none }\nhttp: none\n"
                + errors);
    return Console.train(config, folder.resolve(name + ".json"));
  }

  private JsonNode report(String name) throws Exception {
    return JsonMapper.shared().readTree(Files.readString(folder.resolve(name + ".json")));
  }

  private static void send(Console train, String rows) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), train.port());
        OutputStream out = socket.getOutputStream()) {
      out.write(rows.getBytes(UTF_8));
    }
  }

  private Capture feed(Console train) throws Exception {
    Capture capture = new Capture();
    assertThat(
            Penstock.run(
                new Wiring(),
                capture.terminal(0),
                "feed",
                dead.toString(),
                "--to",
                "tcp://127.0.0.1:" + train.port()))
        .as(capture.err())
        .isZero();
    return capture;
  }
}
