package io.penstock.config;

import io.penstock.config.SchemaConfig.FieldType;
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
  static void checkBind(String bind, boolean insecure) {
    if (!insecure && !bind.equals("localhost") && !isLoopback(bind)) {
      throw new InvalidSetting(
          "bind",
          "must be a loopback address such as 127.0.0.1, not "
              + bind
              + "; TLS and tokens are not built yet, so that anybody could connect; insecure: true allows it");
    }
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.ofLiteral(address).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false; // a name
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

  /**
   * Whether steps and fields belong together. What a pattern of the schema stands for is known only when a header has come; a
   * selector that may match one of its columns passes here.
   */
  static void checkFeatures(List<FeatureConfig> features, Map<String, FieldType> fields) {
    for (int i = 0; i < features.size(); i++) {
      FeatureConfig feature = features.get(i);
      String name = Setting.lowerFirst(feature.getClass().getSimpleName());
      String key = "features[" + i + "]." + name + ".fields";
      if (feature.fields().isEmpty()) {
        throw new InvalidSetting(key, "must select at least one field");
      }
      for (String selector : feature.fields()) {
        checkSelector(feature, selector, fields, key);
      }
    }
    fields.forEach(
        (field, type) -> {
          if (type == FieldType.CATEGORY && !anyOneHot(features, field)) {
            throw new InvalidSetting(
                "schema.fields." + field,
                "is a category that no step turns into features; add oneHot: { fields: "
                    + field
                    + " } to features");
          }
        });
  }

  private static void checkSelector(
      FeatureConfig feature, String selector, Map<String, FieldType> fields, String key) {
    boolean any = false;
    boolean oneHot = feature instanceof FeatureConfig.OneHot;
    for (Map.Entry<String, FieldType> field : fields.entrySet()) {
      if (!selects(selector, field.getKey(), field.getValue())) {
        continue;
      }
      any = true;
      if (oneHot != (field.getValue() == FieldType.CATEGORY) && !isPattern(field.getKey())) {
        throw new InvalidSetting(
            key,
            (oneHot ? "must select categories" : "must not select categories")
                + ", but "
                + field.getKey()
                + " is a "
                + word(field.getValue()));
      }
    }
    if (!any) {
      throw new InvalidSetting(
          key,
          "must select a field of the schema; "
              + selector
              + " is neither a type that is there nor a field"
              + Nearest.hint(selector, fields.keySet()));
    }
  }

  private static boolean anyOneHot(List<FeatureConfig> features, String field) {
    return features.stream()
        .filter(FeatureConfig.OneHot.class::isInstance)
        .flatMap(feature -> feature.fields().stream())
        .anyMatch(selector -> selects(selector, field, FieldType.CATEGORY));
  }

  /** Whether a selector means a field, or may mean a column of it where the field is a pattern. */
  private static boolean selects(String selector, String field, FieldType type) {
    return selector.equals(word(type)) || overlap(selector, field);
  }

  private static String word(FieldType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static boolean isPattern(String name) {
    return name.indexOf('*') >= 0;
  }

  /** Whether there is a text that matches both patterns. */
  static boolean overlap(String a, String b) {
    if (a.isEmpty() || b.isEmpty()) {
      return (a + b).chars().allMatch(c -> c == '*');
    }
    if (a.charAt(0) == '*') {
      return overlap(a.substring(1), b) || overlap(a, b.substring(1));
    }
    if (b.charAt(0) == '*') {
      return overlap(b, a);
    }
    return a.charAt(0) == b.charAt(0) && overlap(a.substring(1), b.substring(1));
  }
}
