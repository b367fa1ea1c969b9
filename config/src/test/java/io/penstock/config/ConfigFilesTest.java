package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.penstock.config.ConfigException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The configurations that come with Penstock. */
class ConfigFilesTest {
  private static final Path FOLDER = Path.of(System.getProperty("penstock.home"), "config");

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER.resolve("examples"))) {
      return Stream.concat(Stream.of(FOLDER.resolve("quickstart.yaml")), files).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldReadWhatComesWithPenstock(Path file) {
    assertThat(ConfigReader.read(file, List.of()).name()).isNotEqualTo("penstock");
  }

  @Test
  void shouldSendTheQuickStartThroughTheListenerForAboutAMinute() {
    Config config = ConfigReader.read(FOLDER.resolve("quickstart.yaml"), List.of());

    SourceConfig.Tcp tcp = (SourceConfig.Tcp) Objects.requireNonNull(config.source());
    SourceConfig.FeedConfig feed = Objects.requireNonNull(tcp.feed());
    assertThat(feed.generator().records() / feed.rate()).isBetween(45.0, 75.0);
    assertThat(Objects.requireNonNull(feed.generator().drift()).at() * 2)
        .isEqualTo(feed.generator().records());
    assertThat(tcp.bind()).isEqualTo("127.0.0.1");
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldNameTheLineOfAnUnknownKeyWhereverItStands(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    for (int seed = 0; seed < 40; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int line = blockKey(lines, random);
      String next = lines.get(line);
      String indent = next.substring(0, next.length() - next.stripLeading().length());
      List<String> changed = new ArrayList<>(lines);
      changed.add(line, indent + "zzz" + random.nextInt(100) + ": 1");

      ConfigException e =
          catchThrowableOfType(
              ConfigException.class,
              () -> ConfigReader.parse("x.yaml", String.join("\n", changed), List.of()));

      assertThat(e).as("seed %d, before: %s", seed, next).isNotNull();
      assertThat(e.problems())
          .as("seed %d, before: %s, problems: %s", seed, next, e.getMessage())
          .anySatisfy(problem -> assertPlace(problem, line, indent.length()));
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldAnswerAnyDamageWithAConfigurationOrItsProblems(Path file) throws IOException {
    String yaml = Files.readString(file);
    String signs = "{}[]:,-#&*!|>'\"%@`?~ \t\n0aé\u0000\uD83D";
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      StringBuilder text = new StringBuilder(yaml);
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        int at = random.nextInt(text.length() - 8);
        int end = at + random.nextInt(8);
        String sign = String.valueOf(signs.charAt(random.nextInt(signs.length())));
        text.replace(at, end, random.nextBoolean() ? sign : "");
      }
      assertThat(catchThrowable(() -> Config.parse(text.toString())))
          .as("seed %d:%n%s", seed, text)
          .satisfiesAnyOf(
              e -> assertThat(e).isNull(),
              e ->
                  assertThat(e)
                      .isInstanceOf(ConfigException.class)
                      .hasMessageStartingWith("configuration:"));
    }
  }

  private static void assertPlace(Problem problem, int line, int indent) {
    assertThat(problem.line()).isEqualTo(line + 1);
    assertThat(problem.column()).isEqualTo(indent + 1);
    assertThat(problem.text()).contains("zzz");
  }

  /** A line that begins with a key of a block map. */
  private static int blockKey(List<String> lines, SplittableRandom random) {
    while (true) {
      int line = random.nextInt(lines.size());
      String text = lines.get(line).strip();
      if (text.matches("[\"\\w*]+:.*")) {
        return line;
      }
    }
  }
}
