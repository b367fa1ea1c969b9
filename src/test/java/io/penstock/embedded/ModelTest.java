package io.penstock.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.LiveTraining;
import io.penstock.app.Model;
import io.penstock.app.Model.Prediction.OfClass;
import io.penstock.app.Model.Prediction.OfNumber;
import io.penstock.app.Model.Prediction.Refused;
import io.penstock.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTest {
  private @TempDir Path folder;

  /** y = 2 a - b + 1, and the other column is a flag. */
  private Config numbers() throws IOException {
    StringBuilder rows = new StringBuilder("a,b,odd,y\n");
    for (int row = 0; row < 60_000; row++) {
      int a = row * 31 % 17;
      int b = row * 7 % 11;
      rows.append(a + "," + b + "," + row % 2 + "," + (2 * a - b + 1) + "\n");
    }
    Path file = Files.writeString(folder.resolve("rows.csv"), rows);
    return Config.parse(
        """
        name: plane
        source: { file: { path: '%s' } }
        schema:
          label: { field: y, type: number }
          fields: { a: number, b: number, odd: flag }
        features: [ standardize: { fields: number } ]
        batch: { size: 32, maxDelay: none }
        model: linear
        optimizer: { adam: { learningRate: 0.05 } }
        checkpoint: { directory: '%s', every: none }
        http: none
        """
            .formatted(file, folder.resolve("saved")));
  }

  private static final List<Map<String, Object>> ROWS =
      List.of(
          Map.of("a", 3, "b", 4.0, "odd", true, "ignored", "text"),
          Map.of("a", "1e1", "b", 0f, "odd", 0),
          Map.of("a", List.of(), "b", 0, "odd", 0),
          Map.of("a", 1, "odd", 0));

  @Test
  void shouldAnswerFromARunAndFromItsCheckpointAlike() throws Exception {
    List<Model.Prediction> live;
    try (LiveTraining run = Model.training(numbers())) {
      assertThat(run.awaitEnd(Duration.ofMinutes(2))).isTrue();
      assertThat(run.failure()).isEmpty();
      assertThat(run.rowsTrained()).isEqualTo(60_000);
      Model.Answer answer = run.predict(ROWS);
      assertThat(answer.snapshot().run()).isEqualTo("plane");
      assertThat(answer.snapshot().rows()).isEqualTo(60_000);
      assertThat(answer.snapshot().ageRows()).isZero();
      live = answer.predictions();
    }
    assertThat(((OfNumber) live.get(0)).value()).isBetween(2.9f, 3.1f);
    assertThat(((OfNumber) live.get(1)).value()).isBetween(20.8f, 21.2f);
    assertThat(((Refused) live.get(2)).reason()).contains("a: must be a value, not an object");
    assertThat(((Refused) live.get(3)).reason()).startsWith("b: a value is needed");

    Model saved = Model.saved(folder.resolve("saved"));
    Model.Answer answer = saved.predict(ROWS);
    assertThat(answer.predictions()).isEqualTo(live);
    assertThat(answer.snapshot().rows()).isEqualTo(60_000);
    assertThat(answer.snapshot().ageSeconds()).isNotNegative();
    saved.close();
    saved.close();
    assertThatThrownBy(() -> saved.predict(ROWS)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shouldAnswerWhileItLearns() throws Exception {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: sea } }
            features: [ standardize: { fields: number } ]
            model: logistic
            http: none
            """);
    LiveTraining run = Model.training(config);
    try (run) {
      while (run.rowsTrained() < 50_000) {
        assertThat(run.awaitEnd(Duration.ofMillis(1))).isFalse();
      }
      Model.Answer answer = run.predict(List.of(Map.of("x0", 5, "x1", 9, "x2", 1)));
      assertThat(answer.snapshot().rows()).isPositive();
      OfClass prediction = (OfClass) answer.predictions().getFirst();
      assertThat(prediction.probabilities()).containsOnlyKeys("0", "1");
      assertThat(prediction.name()).isEqualTo(Integer.toString(prediction.index()));
      assertThat(run.awaitEnd(Duration.ZERO)).isFalse();
    }
    assertThatThrownBy(() -> run.predict(List.of())).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shouldSayWhatIsWrongWithACheckpointOrAConfiguration() {
    assertThatThrownBy(() -> Model.saved(folder.resolve("none")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("there is no such file or folder");
    Config config =
        Config.parse(
            """
            source: { file: { path: none.csv } }
            schema: { label: { field: y, type: number }, fields: { x: number } }
            model: linear
            http: none
            """);
    assertThatThrownBy(() -> Model.training(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("none.csv");
  }
}
