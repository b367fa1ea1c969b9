package io.penstock.trainer;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Dense;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.ParameterLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** A recorded run: {@code make_golden.py} says what is in the file. Tensors are flat, in the order weight, bias, weight, ... */
@SuppressWarnings("ArrayRecordComponent") // read only, never compared
record GoldenRun(
    String name,
    ModelSpec spec,
    List<double[]> initial,
    List<Rows> minibatches,
    double[] losses,
    List<double[]> firstGradients,
    List<double[]> last) {

  static GoldenRun read(Path file) {
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    double[] dims = numbers(json.get("dims"));
    Activation hidden =
        Activation.valueOf(json.get("activation").asString().toUpperCase(Locale.ROOT));
    List<Dense> layers = new ArrayList<>();
    for (int i = 0; i + 1 < dims.length; i++) {
      boolean last = i + 2 == dims.length;
      layers.add(new Dense((int) dims[i], (int) dims[i + 1], last ? Activation.IDENTITY : hidden));
    }
    LossConfig loss = loss(json.get("loss").asString());
    int classes =
        switch (loss) {
          case LossConfig.Softmax l -> layers.getLast().outputs();
          case LossConfig.Sigmoid l -> 2;
          default -> 0;
        };
    List<Rows> minibatches = new ArrayList<>();
    for (JsonNode batch : json.get("minibatches")) {
      List<float[]> inputs = new ArrayList<>();
      batch.get("inputs").forEach(row -> inputs.add(floats(numbers(row))));
      minibatches.add(
          new Rows(
              inputs.toArray(float[][]::new),
              floats(numbers(batch.get("labels"))),
              floats(numbers(batch.get("weights")))));
    }
    return new GoldenRun(
        json.get("name").asString(),
        new ModelSpec(layers, Initial.ZERO, classes, loss, optimizer(json.get("optimizer"))),
        tensors(json.get("initial")),
        minibatches,
        numbers(json.get("losses")),
        tensors(json.get("firstGradients")),
        tensors(json.get("final")));
  }

  /** The initial parameters as the flat buffer of {@code layout}. */
  float[] initialParameters(ParameterLayout layout) {
    float[] values = new float[layout.size()];
    for (int t = 0; t < initial.size(); t++) {
      float[] tensor = floats(initial.get(t));
      System.arraycopy(tensor, 0, values, layout.tensors().get(t).offset(), tensor.length);
    }
    return values;
  }

  private static LossConfig loss(String name) {
    return switch (name) {
      case "softmax" -> new LossConfig.Softmax();
      case "sigmoid" -> new LossConfig.Sigmoid();
      case "squared" -> new LossConfig.Squared();
      case "huber" -> new LossConfig.Huber(1);
      case "quantile" -> new LossConfig.Quantile(0.9);
      default -> throw new IllegalArgumentException("loss " + name);
    };
  }

  private static OptimizerConfig optimizer(JsonNode json) {
    String name = json.propertyNames().iterator().next();
    JsonNode s = json.get(name);
    double rate = s.get("learningRate").asDouble();
    return switch (name) {
      case "sgd" -> new OptimizerConfig.Sgd(rate, 0);
      case "momentum" -> new OptimizerConfig.Momentum(rate, s.get("momentum").asDouble(), 0);
      case "nesterov" -> new OptimizerConfig.Nesterov(rate, s.get("momentum").asDouble(), 0);
      case "adagrad" -> new OptimizerConfig.Adagrad(rate, s.get("epsilon").asDouble(), 0);
      case "rmsprop" ->
          new OptimizerConfig.RmsProp(
              rate, s.get("decay").asDouble(), s.get("epsilon").asDouble(), 0);
      case "adam" ->
          new OptimizerConfig.Adam(
              rate,
              s.get("beta1").asDouble(),
              s.get("beta2").asDouble(),
              s.get("epsilon").asDouble(),
              0);
      case "adamw" ->
          new OptimizerConfig.AdamW(
              rate,
              s.get("beta1").asDouble(),
              s.get("beta2").asDouble(),
              s.get("epsilon").asDouble(),
              s.get("weightDecay").asDouble(),
              0);
      default -> throw new IllegalArgumentException("optimizer " + name);
    };
  }

  private static List<double[]> tensors(JsonNode json) {
    List<double[]> tensors = new ArrayList<>();
    for (int i = 0; i < json.get("weights").size(); i++) {
      tensors.add(numbers(json.get("weights").get(i)));
      tensors.add(numbers(json.get("biases").get(i)));
    }
    return tensors;
  }

  /** All numbers of nested arrays, in order. */
  private static double[] numbers(JsonNode json) {
    List<Double> values = new ArrayList<>();
    collect(json, values);
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static void collect(JsonNode json, List<Double> values) {
    if (json.isArray()) {
      json.forEach(child -> collect(child, values));
    } else {
      values.add(json.asDouble());
    }
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
