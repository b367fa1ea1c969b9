package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the page on the protocol shows is what is said. */
@Timeout(60)
class TcpProtocolPageTest {
  private static final Path PAGE = Path.of("docs/tcp-protocol.md");
  private static final Pattern BLOCK = Pattern.compile("```\n(.*?)```", Pattern.DOTALL);
  private static final Pattern HEX = Pattern.compile("^([PS ])  ((?:[0-9a-f]{2} )+)(…)?");
  private static final int WIDTH = 43;

  private record Said(char who, String line) {}

  @Test
  void shouldHoldTheConversationThatThePageShows() throws Exception {
    List<Said> conversation = conversation();
    assertThat(conversation).hasSizeGreaterThan(8);
    Config config =
        Config.parse(
            """
            source: { tcp: { port: 0, acknowledge: { endAfterProducers: 1 } } }
            schema:
              label: { field: fraud, type: class, classes: 2 }
              fields: { amount: number, hour: number }
            model: logistic
            http: none
            """);
    try (TestCheckpoints checkpoints = new TestCheckpoints(1); // asked for when all was sent
        TrainingRun run = TestCheckpoints.run(config, null, checkpoints);
        TestProducer producer = new TestProducer(Runs.port(run), "till-7")) {
      checkpoints.of(run);
      run.start();
      for (Said said : conversation) {
        if (said.who == 'P') {
          producer.send(said.line + "\n");
        } else {
          if (said.line.startsWith("durable")) {
            run.durable(run.cut().join());
          }
          assertThat(producer.line("")).isEqualTo(said.line);
        }
      }
      assertThat(producer.line("")).isNull();
      assertThat(Runs.end(run).rows().trained()).isEqualTo(2);
    }
  }

  @Test
  void shouldShowTheSameBytes() throws Exception {
    List<Said> bytes = new ArrayList<>();
    char who = ' ';
    for (String line : block(1).lines().toList()) {
      Matcher matcher = HEX.matcher(line);
      assertThat(matcher.find()).as(line).isTrue();
      who = matcher.group(1).isBlank() ? who : matcher.group(1).charAt(0);
      byte[] parsed = HexFormat.ofDelimiter(" ").parseHex(matcher.group(2).strip());
      bytes.add(new Said(who, new String(parsed, StandardCharsets.US_ASCII).replace("\n", "")));
    }
    List<Said> conversation = conversation();
    assertThat(bytes).hasSameSizeAs(conversation);
    for (int i = 0; i < bytes.size(); i++) {
      assertThat(conversation.get(i).who).isEqualTo(bytes.get(i).who);
      assertThat(conversation.get(i).line).startsWith(bytes.get(i).line);
    }
  }

  private static List<Said> conversation() throws Exception {
    return block(0)
        .lines()
        .map(
            line ->
                new Said(line.charAt(0), line.substring(3, Math.min(WIDTH, line.length())).strip()))
        .map(said -> said.line.startsWith("welcome") ? welcome(said) : said)
        .toList();
  }

  /** The one line that is wider than its column. */
  private static Said welcome(Said said) {
    return new Said(said.who, "welcome epoch=1 next=0 durable=0 window=1000000");
  }

  private static String block(int index) throws Exception {
    return BLOCK.matcher(Files.readString(PAGE)).results().toList().get(index).group(1);
  }
}
