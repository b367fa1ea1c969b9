package io.penstock.config;

import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelType;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Whether steps and fields belong together. What a pattern of the schema stands for is known only when a header has come; a
 * selector that may match one of its columns passes here.
 */
final class FeatureFit {
  private final SchemaConfig schema;
  private final Map<String, Column> columns = new LinkedHashMap<>();

  /**
   * A column, or those that a pattern of the schema stands for.
   *
   * @param addedBy the step that has added it; empty: it is a field
   * @param madeFeaturesBy the step that has made features of it, or of some of those; empty: none
   */
  private record Column(String name, FieldType type, String addedBy, String madeFeaturesBy) {
    boolean isPattern() {
      return name.indexOf('*') >= 0;
    }

    boolean hasFeatures() {
      return !madeFeaturesBy.isEmpty() && !isPattern();
    }

    /** Whether a selector means it, or may mean one of those that a pattern stands for. */
    boolean selectedBy(String selector) {
      return (selector.equals(word()) && !hasFeatures()) || overlap(selector, name);
    }

    Column withFeatures(String step) {
      return new Column(name, type, addedBy, step);
    }

    String word() {
      return type.name().toLowerCase(Locale.ROOT);
    }
  }

  private FeatureFit(SchemaConfig schema) {
    this.schema = schema;
    schema.types().forEach((field, type) -> put(new Column(field, type, "", "")));
  }

  static void check(List<FeatureConfig> features, SchemaConfig schema) {
    FeatureFit fit = new FeatureFit(schema);
    for (int i = 0; i < features.size(); i++) {
      fit.pass(features.get(i), "features[" + i + "]." + features.get(i).name());
    }
    fit.columns.values().forEach(FeatureFit::requireFeatures);
  }

  private void put(Column column) {
    columns.put(column.name(), column);
  }

  private void pass(FeatureConfig feature, String step) {
    if (feature instanceof FeatureConfig.Cyclical cyclical && !cyclical.parts().isEmpty()) {
      addParts(cyclical, step);
      return;
    }
    String key = step + ".fields";
    if (feature.fields().isEmpty()) {
      throw new InvalidSetting(key, "must select at least one field");
    }
    Set<Column> selected = new LinkedHashSet<>();
    for (String selector : feature.fields()) {
      if (feature instanceof FeatureConfig.Lag lag && selector.equals(schema.label().field())) {
        addLabelLags(lag, step);
      } else {
        selected.addAll(select(feature, selector, key));
      }
    }
    for (Column column : selected) {
      if (feature instanceof FeatureConfig.Lag lag) {
        for (int by : lag.by()) {
          add(new Column(FeatureConfig.Lag.name(column.name(), by), column.type(), step, ""));
        }
      } else if (feature.last()) {
        put(column.withFeatures(step));
      }
    }
  }

  private void addParts(FeatureConfig.Cyclical cyclical, String step) {
    if (schema.eventTime().isEmpty()) {
      throw new InvalidSetting(
          step + ".parts",
          "are parts of the row's time, but there is none; name its field as schema.eventTime");
    }
    for (FeatureConfig.TimePart part : cyclical.parts()) {
      add(new Column(part.toString(), FieldType.NUMBER, step, step));
    }
  }

  private List<Column> select(FeatureConfig feature, String selector, String key) {
    boolean lag = feature instanceof FeatureConfig.Lag;
    List<Column> selected =
        columns.values().stream()
            .filter(column -> column.selectedBy(selector))
            .filter(column -> !lag || column.addedBy().isEmpty())
            .toList();
    if (selected.isEmpty()) {
      throw new InvalidSetting(
          key,
          "must select a field of the schema; "
              + selector
              + " is neither a type that is there nor a field"
              + Nearest.hint(selector, columns.keySet()));
    }
    selected.stream().filter(c -> !c.isPattern()).forEach(c -> requireFit(feature, c, key));
    return selected;
  }

  private static void requireFit(FeatureConfig feature, Column column, String key) {
    boolean category = column.type() == FieldType.CATEGORY;
    switch (feature.takes()) {
      case NUMBERS -> require(!category, key, "must not select categories, but ", column);
      case CATEGORIES -> require(category, key, "must select categories, but ", column);
      case ANY -> {
        // whatever it is
      }
    }
    if (column.hasFeatures()) {
      throw new InvalidSetting(
          key,
          "must not select %s, which %s has made features of; put this step before that one"
              .formatted(column.name(), column.madeFeaturesBy()));
    }
  }

  private static void require(boolean fits, String key, String rule, Column column) {
    if (!fits) {
      throw new InvalidSetting(key, rule + column.name() + " is a " + column.word());
    }
  }

  private void addLabelLags(FeatureConfig.Lag lag, String step) {
    int classes = schema.label().count();
    boolean flag = schema.label().type() == LabelType.CLASS && classes == 2;
    for (int by : lag.by()) {
      add(
          new Column(
              FeatureConfig.Lag.name(schema.label().field(), by),
              flag ? FieldType.FLAG : FieldType.NUMBER,
              step,
              classes > 2 ? step : ""));
    }
  }

  private void add(Column column) {
    if (columns.containsKey(column.name())) {
      throw new InvalidSetting(
          column.addedBy(), "must not add " + column.name() + ", which is there already");
    }
    put(column);
  }

  private static void requireFeatures(Column column) {
    if (column.type() == FieldType.CATEGORY && column.madeFeaturesBy().isEmpty()) {
      boolean field = column.addedBy().isEmpty();
      throw new InvalidSetting(
          field ? "schema.fields." + column.name() : column.addedBy(),
          "%s a category that no step turns into features; add oneHot: { fields: %s } (or hash, or dictionary) to features"
              .formatted(field ? "is" : "adds " + column.name() + ",", column.name()));
    }
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
