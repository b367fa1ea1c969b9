package io.penstock.trainer.model;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.util.ArrayList;
import java.util.List;

/**
 * A model with all choices made: layers, loss and optimizer.
 *
 * @param layers in order; the inputs of each are the outputs of the one before
 * @param classes number of classes of the label; 0 for a number
 * @param loss never {@link LossConfig.Auto}
 */
public record ModelSpec(
    List<Dense> layers, Initial initial, int classes, LossConfig loss, OptimizerConfig optimizer) {
  /** Validates that layers fit each other and the loss. */
  public ModelSpec {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("model: at least one layer is needed");
    }
    for (int i = 1; i < layers.size(); i++) {
      if (layers.get(i).inputs() != layers.get(i - 1).outputs()) {
        throw new IllegalArgumentException(
            "model: layer %d has %d inputs, but the one before has %d outputs"
                .formatted(i, layers.get(i).inputs(), layers.get(i - 1).outputs()));
      }
    }
    int outputs = outputs(loss, classes);
    if (layers.getLast().outputs() != outputs) {
      throw new IllegalArgumentException(
          "model: the last layer must have %d outputs for this loss and label, not %d"
              .formatted(outputs, layers.getLast().outputs()));
    }
  }

  /**
   * The model that a configuration declares.
   *
   * @param features width of a row after all operators
   * @throws IllegalArgumentException where model, loss and label do not go together
   */
  public static ModelSpec of(
      ModelConfig model,
      LossConfig loss,
      OptimizerConfig optimizer,
      LabelConfig label,
      int features) {
    int classes = label.type() == LabelType.CLASS ? label.count() : 0;
    if (label.type() == LabelType.CLASS && classes < 2) {
      throw new IllegalArgumentException(
          "label: '%s' has %d classes; there must be at least 2".formatted(label.field(), classes));
    }
    LossConfig chosen = loss instanceof LossConfig.Auto ? lossOf(model, classes) : loss;
    int outputs = outputs(chosen, classes);
    require(fits(model, chosen), model, chosen);
    return new ModelSpec(
        layers(model, features, outputs), initial(model), classes, chosen, optimizer);
  }

  /** Dense features of a row. */
  public int features() {
    return layers.getFirst().inputs();
  }

  private static LossConfig lossOf(ModelConfig model, int classes) {
    return switch (model) {
      case ModelConfig.Linear m -> new LossConfig.Squared();
      case ModelConfig.Logistic m -> new LossConfig.Sigmoid();
      case ModelConfig.Softmax m -> new LossConfig.Softmax();
      case ModelConfig.Mlp m when classes == 0 -> new LossConfig.Squared();
      case ModelConfig.Mlp m when classes == 2 -> new LossConfig.Sigmoid();
      case ModelConfig.Mlp m -> new LossConfig.Softmax();
    };
  }

  private static boolean fits(ModelConfig model, LossConfig loss) {
    return switch (model) {
      case ModelConfig.Linear m -> isRegression(loss);
      case ModelConfig.Logistic m -> loss instanceof LossConfig.Sigmoid;
      case ModelConfig.Softmax m -> loss instanceof LossConfig.Softmax;
      case ModelConfig.Mlp m -> true;
    };
  }

  private static boolean isRegression(LossConfig loss) {
    return !(loss instanceof LossConfig.Softmax || loss instanceof LossConfig.Sigmoid);
  }

  private static void require(boolean fits, ModelConfig model, LossConfig loss) {
    if (!fits) {
      throw new IllegalArgumentException(
          "loss: %s does not go with model %s; leave the loss out to have the one that does"
              .formatted(name(loss), name(model)));
    }
  }

  /** Width of the last layer; fails where the loss cannot be had of such a label. */
  private static int outputs(LossConfig loss, int classes) {
    switch (loss) {
      case LossConfig.Softmax l when classes >= 2 -> {
        return classes;
      }
      case LossConfig.Sigmoid l when classes == 2 -> {
        return 1;
      }
      case LossConfig.Softmax l -> {}
      case LossConfig.Sigmoid l -> {}
      case LossConfig.Auto l ->
          throw new IllegalArgumentException("loss: auto must have been resolved");
      default -> {
        if (classes == 0) {
          return 1;
        }
      }
    }
    throw new IllegalArgumentException(
        "loss: %s needs a label %s, but it %s"
            .formatted(
                name(loss),
                loss instanceof LossConfig.Softmax
                    ? "of classes"
                    : loss instanceof LossConfig.Sigmoid ? "of 2 classes" : "that is a number",
                classes == 0 ? "is a number" : "has " + classes + " classes"));
  }

  private static List<Dense> layers(ModelConfig model, int features, int outputs) {
    List<Dense> layers = new ArrayList<>();
    int inputs = features;
    if (model instanceof ModelConfig.Mlp(List<Integer> hidden, ModelConfig.Activation activation)) {
      for (int width : hidden) {
        layers.add(new Dense(inputs, width, Activation.of(activation)));
        inputs = width;
      }
    }
    layers.add(new Dense(inputs, outputs, Activation.IDENTITY));
    return layers;
  }

  private static Initial initial(ModelConfig model) {
    return switch (model) {
      case ModelConfig.Linear(Initial initial) -> initial;
      case ModelConfig.Logistic(Initial initial) -> initial;
      case ModelConfig.Softmax(Initial initial) -> initial;
      case ModelConfig.Mlp m -> Initial.RANDOM;
    };
  }

  private static String name(Object config) {
    return config.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }
}
