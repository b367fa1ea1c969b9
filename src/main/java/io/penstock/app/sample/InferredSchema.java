package io.penstock.app.sample;

import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.FeaturePlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a sample says of its columns.
 *
 * @param eventTime field of the rows' time; empty: none looks like it
 * @param fields to learn from
 * @param leftOut what is not learnt from, with the reason
 * @param missing texts that stand for no value
 */
public record InferredSchema(
    String eventTime, List<Field> fields, List<LeftOut> leftOut, List<String> missing) {
  private static final int UPDATE_EVERY = 64;
  private static final int LEAST_CAPACITY = 16;

  /**
   * A field to learn from.
   *
   * @param missing whether values are missing
   * @param different how many different texts there are
   * @param values the texts of a category that has few; empty otherwise
   * @param note what was found; empty: nothing of note
   */
  public record Field(
      String name,
      FieldType type,
      boolean missing,
      int different,
      List<String> values,
      String note) {}

  /** A column that is not learnt from. */
  public record LeftOut(String name, String why) {}

  /** The fields as a schema has them. */
  public Map<String, FieldType> types() {
    Map<String, FieldType> types = new LinkedHashMap<>();
    fields.forEach(field -> types.put(field.name(), field.type()));
    return types;
  }

  /** Fields of a type. */
  List<Field> of(FieldType type) {
    return fields.stream().filter(field -> field.type() == type).toList();
  }

  /**
   * These steps, and those without which rows with gaps would be rejected, or categories would be no features: {@code impute} in
   * front, {@code oneHot} at the end.
   */
  public List<FeatureConfig> completed(List<FeatureConfig> steps) {
    List<FeatureConfig> all = new ArrayList<>(steps);
    List<Field> open =
        fields.stream()
            .filter(
                field ->
                    !FeaturePlan.nullable(steps, field.name(), Kind.valueOf(field.type().name())))
            .toList();
    List<String> gaps =
        open.stream()
            .filter(field -> field.missing() && field.type() != FieldType.CATEGORY)
            .map(Field::name)
            .toList();
    if (!gaps.isEmpty()) {
      all.addFirst(new FeatureConfig.Impute(gaps, Imputation.MEAN, 0, UPDATE_EVERY));
    }
    open.stream()
        .filter(field -> field.type() == FieldType.CATEGORY)
        .map(InferredSchema::oneHot)
        .forEach(all::add);
    return List.copyOf(all);
  }

  private static FeatureConfig oneHot(Field field) {
    return new FeatureConfig.OneHot(
        List.of(field.name()), field.values(), capacity(field.different()), UPDATE_EVERY);
  }

  /** A power of two that has room for a few more. */
  private static int capacity(int different) {
    int wanted = Math.max(LEAST_CAPACITY, different + different / 4);
    return Integer.highestOneBit(2 * wanted - 1);
  }
}
