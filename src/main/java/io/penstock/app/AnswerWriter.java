package io.penstock.app;

import io.penstock.app.FittedModel.Answers;
import io.penstock.app.FittedModel.Cut;
import io.penstock.app.Model.Prediction;
import io.penstock.trainer.Predictor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/** The forms of an answer. */
abstract class AnswerWriter implements Answers {
  private List<String> classes = List.of();
  private int refused;
  private int rows;

  @Override
  public void begin(Cut by) {
    classes = by.classes();
  }

  /** Names of the classes by index; empty for a number. */
  final List<String> classes() {
    return classes;
  }

  /** Rows so far. */
  final int rows() {
    return rows;
  }

  /** Those among them that could not be used. */
  final int refused() {
    return refused;
  }

  @Override
  public void answer(Predictor predictor, int row) {
    rows++;
  }

  @Override
  public void refuse(String reason) {
    rows++;
    refused++;
  }

  /** JSON objects, one after the other. */
  static class Json extends AnswerWriter {
    private final JsonGenerator json;

    Json(JsonGenerator json) {
      this.json = json;
    }

    @Override
    public void answer(Predictor predictor, int row) {
      super.answer(predictor, row);
      json.writeStartObject();
      if (classes().isEmpty()) {
        json.writeNumberProperty("value", predictor.value(row));
      } else {
        json.writeStringProperty("class", classes().get(predictor.best(row)));
        json.writeObjectPropertyStart("probabilities");
        for (int c = 0; c < classes().size(); c++) {
          json.writeNumberProperty(classes().get(c), predictor.probability(row, c));
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    }

    @Override
    public void refuse(String reason) {
      super.refuse(reason);
      json.writeStartObject();
      json.writeStringProperty("error", reason);
      json.writeEndObject();
    }
  }

  /** Objects for Java code. */
  static final class Objects extends AnswerWriter {
    private final List<Prediction> predictions = new ArrayList<>();

    List<Prediction> predictions() {
      return predictions;
    }

    @Override
    public void answer(Predictor predictor, int row) {
      super.answer(predictor, row);
      if (classes().isEmpty()) {
        predictions.add(new Prediction.OfNumber(predictor.value(row)));
        return;
      }
      Map<String, Float> probabilities = new LinkedHashMap<>();
      for (int c = 0; c < classes().size(); c++) {
        probabilities.put(classes().get(c), predictor.probability(row, c));
      }
      int best = predictor.best(row);
      predictions.add(
          new Prediction.OfClass(
              classes().get(best), best, Collections.unmodifiableMap(probabilities)));
    }

    @Override
    public void refuse(String reason) {
      super.refuse(reason);
      predictions.add(new Prediction.Refused(reason));
    }
  }
}
