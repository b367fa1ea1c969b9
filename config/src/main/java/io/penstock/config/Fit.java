package io.penstock.config;

import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Rules between settings. */
final class Fit {
  private Fit() {}

  static void checkSources(
      @Nullable SourceConfig source,
      Map<String, SourceConfig> sources,
      Map<String, Integer> shares) {
    if (source == null && sources.isEmpty()) {
      throw new InvalidSetting(
          "source",
          "is required: one of "
              + String.join(", ", Setting.cases(SourceConfig.class).keySet())
              + ", or several under sources");
    }
    if (source != null && !sources.isEmpty()) {
      throw new InvalidSetting("sources", "must be left out where there is a source");
    }
    for (String name : sources.keySet()) {
      if (!name.matches("[A-Za-z0-9_-]+")) {
        throw new InvalidSetting(
            "sources." + name, "must have a name of letters, digits, '_' and '-'");
      }
    }
    for (String name : shares.keySet()) {
      if (!sources.containsKey(name)) {
        throw new InvalidSetting(
            "pipeline.shares." + name,
            "must name one of the sources" + Nearest.hint(name, sources.keySet()));
      }
    }
    checkPorts(sources);
  }

  private static void checkPorts(Map<String, SourceConfig> sources) {
    Map<Integer, String> taken = new HashMap<>();
    sources.forEach(
        (name, source) -> {
          if (source instanceof SourceConfig.Tcp tcp && tcp.port() != 0) {
            String first = taken.putIfAbsent(tcp.port(), name);
            if (first != null) {
              throw new InvalidSetting(
                  "sources." + name + ".tcp.port",
                  "must be another one than that of " + first + ", not " + tcp.port());
            }
          }
        });
  }

  static void checkDevice(String device, Precision precision) {
    boolean cuda = device.matches("cuda(:\\d{1,3})?");
    if (!cuda && !device.equals("auto") && !device.equals("cpu") && !device.equals("nd4j")) {
      throw new InvalidSetting("device", "must be auto, cpu, nd4j, cuda or cuda:N, not " + device);
    }
    if (!cuda && precision != Precision.FLOAT32) {
      throw new InvalidSetting(
          "precision",
          "%s needs device cuda, not %s"
              .formatted(precision.name().toLowerCase(Locale.ROOT), device));
    }
  }

  /** A name that only the network could explain counts as foreign: nothing is looked up to read a file. */
  static void checkBind(String bind, @Nullable TokenConfig token, boolean insecure) {
    if (token == null && !insecure && !bind.equals("localhost") && !isLoopback(bind)) {
      throw new InvalidSetting(
          "bind",
          "must be a loopback address such as 127.0.0.1, not "
              + bind
              + ", where anybody could connect; let them give a token (token: { file: FILE } or token: { environment: NAME }), or allow it by insecure: true");
    }
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.ofLiteral(address).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false; // a name
    }
  }

  /** Rows of a file can be read ahead; those of a sender cannot without holding it up, and it may send a few only. */
  static void checkInference(@Nullable SourceConfig source) {
    if (!(source instanceof SourceConfig.File)) {
      throw new InvalidSetting(
          "schema.infer",
          "needs source.file, whose first rows can be read ahead; for any other source name the fields, or have penstock init write them by a sample");
    }
  }

  /** A sender of JSON names its fields in each row, and no header does before. */
  static void checkFormat(SourceConfig source, SchemaConfig schema) {
    if (source instanceof SourceConfig.Tcp tcp && tcp.format() instanceof FormatConfig.Json) {
      for (String field : schema.fields().keySet()) {
        if (field.indexOf('*') >= 0) {
          throw new InvalidSetting(
              "schema.fields." + field,
              "must name one field: senders of JSON have no header that a pattern could go by");
        }
      }
    }
  }

  /** A feature must not know what evaluation takes for not known. */
  static void checkLabelDelay(int delay, List<FeatureConfig> features, LabelConfig label) {
    for (int i = 0; i < features.size(); i++) {
      if (features.get(i) instanceof FeatureConfig.Lag lag
          && lag.fields().contains(label.field())) {
        for (int by : lag.by()) {
          if (by <= delay) {
            throw new InvalidSetting(
                "features[" + i + "].lag.by",
                "must be more than evaluation.labelDelay, %d rows, for the label (%s), which is not known before; not %d"
                    .formatted(delay, label.field(), by));
          }
        }
      }
    }
  }

  static void checkModel(ModelConfig model, LossConfig loss, LabelConfig label) {
    String kind = label.type() == LabelType.NUMBER ? "a number" : "a class of " + label.count();
    boolean number = label.type() == LabelType.NUMBER;
    switch (model) {
      case ModelConfig.Linear _ -> require(number, "model", "linear", "a number", kind);
      case ModelConfig.Logistic _ ->
          require(label.count() == 2, "model", "logistic", "a class of 2", kind);
      case ModelConfig.Softmax _ -> require(!number, "model", "softmax", "a class", kind);
      case ModelConfig.Mlp _ -> {
        // has the outputs that the loss asks for
      }
    }
    boolean logistic = model instanceof ModelConfig.Logistic;
    boolean softmax = model instanceof ModelConfig.Softmax;
    switch (loss) {
      case LossConfig.Auto _ -> {
        // fits by itself
      }
      case LossConfig.Softmax _ -> {
        require(!number, "loss", "softmax", "a class", kind);
        requireModel(!logistic, "softmax", "softmax or mlp", "logistic");
      }
      case LossConfig.Sigmoid _ -> {
        require(label.count() == 2, "loss", "sigmoid", "a class of 2", kind);
        requireModel(!softmax, "sigmoid", "logistic or mlp", "softmax");
      }
      case LossConfig.Squared _ -> require(number, "loss", "squared", "a number", kind);
      case LossConfig.Huber _ -> require(number, "loss", "huber", "a number", kind);
      case LossConfig.Quantile _ -> require(number, "loss", "quantile", "a number", kind);
    }
  }

  private static void require(boolean fits, String key, String name, String wanted, String kind) {
    if (!fits) {
      throw new InvalidSetting(
          key, name + " needs a label that is " + wanted + ", but schema.label is " + kind);
    }
  }

  private static void requireModel(boolean fits, String loss, String wanted, String model) {
    if (!fits) {
      throw new InvalidSetting("loss", loss + " needs model " + wanted + ", not " + model);
    }
  }
}
