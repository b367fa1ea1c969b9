package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenConfigTest {
  private static final String SECRET = "c2VjcmV0LXNlY3JldA==";

  private @TempDir Path folder;

  @Test
  void shouldReadAFileThatHoldsNothingElse() throws IOException {
    assertThat(inFile("  " + SECRET + "\r\n").read().secret()).isEqualTo(SECRET);
  }

  @Test
  void shouldReadAVariable() {
    Token token = new TokenConfig(null, "T").read(Map.of("T", SECRET)::get);

    assertThat(token.isGiven(SECRET)).isTrue();
    assertThat(token.isGiven(SECRET + "=")).isFalse();
    assertThat(token.isGiven(SECRET.substring(1))).isFalse();
    assertThat(token.isGiven("")).isFalse();
    assertThat(token.isGiven(null)).isFalse();
  }

  @Test
  void shouldNotShowItself() {
    assertThat(new Token(SECRET)).hasToString("a token");
  }

  @Test
  void shouldSayWhatIsNotThere() {
    assertThatThrownBy(() -> new TokenConfig(null, "T").read(Map.<String, String>of()::get))
        .hasMessage("the variable T is not set");
    assertThatThrownBy(() -> new TokenConfig("no/such", null).read())
        .hasMessage("no/such: there is no such file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "too-short",
        "hunter2 hunter2 hunter2",
        "höchstgeheim-höchstgeheim",
        "a\nb-a-b-a-b-a-b-a-b-a-b"
      })
  void shouldRefuseWhatCannotBeATokenWithoutShowingIt(String text) throws IOException {
    TokenConfig config = inFile(text);

    String message =
        catchThrowableOfType(IllegalArgumentException.class, () -> config.read()).getMessage();

    assertThat(message).contains(": a token must be 16 to 512 letters");
    assertThat(message).doesNotContain("hunter2", "geheim", "too-short");
  }

  @ParameterizedTest
  @CsvSource({
    "'{}', 'must have either file or environment, and has none'",
    "'{file: a, environment: b}', 'must have either file or environment, not both'",
    "'{file: \"\"}', '.file must name a file, not be empty'",
    "'{environment: \" \"}', '.environment must name a variable, not be empty'",
    "hunter2hunter2hunter2, 'must be a map with file, environment, never the token itself'",
    "'[hunter2hunter2hunter2]', 'must be a map with file, environment, never the token itself'",
  })
  void shouldHaveOnePlaceAndNeverTheTokenItself(String token, String problem) {
    for (String key : List.of("http.token", "source.tcp.token")) {
      assertThatThrownBy(() -> config(key + "=" + token))
          .hasMessageContaining(problem)
          .hasMessageContaining(key)
          .message()
          .doesNotContain("hunter2");
    }
  }

  @Test
  void shouldOpenListenersToTheWorldAndStayOutOfWhatIsWritten() {
    Config config =
        config(
            "source.tcp.bind=0.0.0.0",
            "source.tcp.token={file: /run/secrets/tcp}",
            "http.bind=0.0.0.0",
            "http.token={environment: PENSTOCK_TOKEN}");

    assertThat(ConfigWriter.yaml(config))
        .contains("file: /run/secrets/tcp", "environment: PENSTOCK_TOKEN");
    assertThat(Config.parse(ConfigWriter.yaml(config))).isEqualTo(config);
    assertThat(ConfigDifference.between(config, config("http.port=1")))
        .isNotEmpty()
        .allMatch(ConfigDifference::sound);
  }

  private TokenConfig inFile(String text) throws IOException {
    return new TokenConfig(Files.writeString(folder.resolve("token"), text).toString(), null);
  }

  private static Config config(String... sets) {
    return Config.parse(
        """
        source: { tcp: { feed: { generator: { stream: sea } } } }
        model: logistic
        """,
        sets);
  }
}
