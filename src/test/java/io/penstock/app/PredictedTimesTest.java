package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Features of the event time are those of the row's own time in predictions, too, or else of now. */
class PredictedTimesTest {
  private static final Config CONFIG =
      Config.parse(
          """
          source: { tcp: { port: 0 } }
          schema:
            label: { field: y, classes: 2 }
            eventTime: at
            fields: { x: number }
          features:
            - cyclical: { parts: [hourOfDay] }
          model: logistic
          """);
  private static final List<String> COLUMNS = List.of("x", "at", "y");
  private static final Instant NOW = Instant.parse("2026-06-01T15:00:00Z");

  private static List<Model.Prediction> answer(FittedModel.Rows rows) throws IOException {
    try (FittedModel model =
        new FittedModel(CONFIG, COLUMNS, () -> TimeUnit.SECONDS.toNanos(NOW.getEpochSecond()))) {
      var _ = model.load(TestModels.trained(CONFIG, COLUMNS, 100), 0);
      AnswerWriter.Objects answers = new AnswerWriter.Objects();
      var _ = model.answer(rows, 10, answers);
      return answers.predictions();
    }
  }

  private static List<Model.Prediction> csv(String text) throws IOException {
    return answer(FittedModel.csv(new ByteArrayInputStream(text.getBytes(UTF_8)), true));
  }

  private static List<Model.Prediction> json(String text) throws IOException {
    return answer(FittedModel.json(new ByteArrayInputStream(text.getBytes(UTF_8))));
  }

  @Test
  void shouldTakeARowWithoutATimeForOneOfNow() throws IOException {
    List<Model.Prediction> now = csv("x,at\n1,2026-06-01T15:30:00Z\n");
    assertThat(csv("x\n1\n")).isEqualTo(now);
    assertThat(csv("x,at\n1,\n")).isEqualTo(now);
    assertThat(json("{\"x\": 1}")).isEqualTo(now);
    assertThat(json("{\"x\": 1, \"at\": null}")).isEqualTo(now);
  }

  @Test
  void shouldTakeEachRowsOwnTime() throws IOException {
    List<Model.Prediction> now = csv("x\n1\n");
    List<Model.Prediction> night = csv("x,at\n1,2026-06-01T03:00:00Z\n");
    assertThat(night).isNotEqualTo(now);
    assertThat(json("{\"x\": 1, \"at\": \"2026-06-01T03:10:00Z\"}")).isEqualTo(night);
    List<Model.Prediction> all =
        csv(
            "x,at\n1,2026-06-01T03:00:00Z\noops,2026-06-01T03:00:00Z\n1,\n1,2026-06-01T03:00:00Z\n");
    assertThat(List.of(all.get(0), all.get(2), all.get(3)))
        .as("what a refused row had is not the next one's")
        .containsExactly(night.getFirst(), now.getFirst(), night.getFirst());
    assertThat(all.get(1)).isInstanceOf(Model.Prediction.Refused.class);
  }
}
