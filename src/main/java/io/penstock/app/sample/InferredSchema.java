package io.penstock.app.sample;

import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.config.FieldConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.FeaturePlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

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
   * @param size of a vector; 0 otherwise
   * @param different how many different texts there are
   * @param values the texts of a category that has few; empty otherwise
   * @param note what was found; empty: nothing of note
   */
  public record Field(
      String name,
      FieldType type,
      boolean missing,
      int size,
      int different,
      List<String> values,
      String note) {
    private FieldConfig configured() {
      return type == FieldType.VECTOR
          ? new FieldConfig(type, size, null, null, FieldConfig.Missing.AUTO, null)
          : FieldConfig.of(type);
    }
  }

  /** A column that is not learnt from. */
  public record LeftOut(String name, String why) {}

  /**
   * Nothing, where there are fields.
   *
   * @throws SampleException saying what was left out, otherwise
   */
  public void requireFields() {
    if (fields.isEmpty()) {
      throw new SampleException(
          "no column to learn from; left out: "
              + leftOut.stream()
                  .map(out -> out.name() + " (" + out.why() + ")")
                  .collect(Collectors.joining(", ")));
    }
  }

  /** The fields as a schema has them. */
  public Map<String, FieldConfig> configured() {
    Map<String, FieldConfig> configured = new LinkedHashMap<>();
    fields.forEach(field -> configured.put(field.name(), field.configured()));
    return configured;
  }

  /** Fields of a type. */
  List<Field> of(FieldType type) {
    return fields.stream().filter(field -> field.type() == type).toList();
  }

  /**
   * These steps, and those without which rows with gaps would be rejected, or categories would be no features: {@code impute} in
   * front, {@code oneHot} at the end.
   *
   * @param configured all fields, also those that are something else than they look like, or were not in the sample
   */
  public List<FeatureConfig> completed(
      List<FeatureConfig> steps, Map<String, FieldConfig> configured) {
    Map<String, FieldType> open = new LinkedHashMap<>();
    configured.forEach(
        (name, field) -> {
          boolean settled =
              field.type() == FieldType.VECTOR
                  || FeaturePlan.nullable(
                      steps, new Column(name, Kind.valueOf(field.type().name()), false));
          boolean ruled = field.fill() != null || field.missing() == FieldConfig.Missing.REJECT;
          if (!settled && !(ruled && field.type() != FieldType.CATEGORY)) {
            open.put(name, field.type());
          }
        });
    List<String> gaps =
        fields.stream()
            .filter(field -> field.missing() && open.containsKey(field.name()))
            .filter(field -> open.get(field.name()) != FieldType.CATEGORY)
            .map(Field::name)
            .toList();
    List<FeatureConfig> all = new ArrayList<>(steps);
    if (!gaps.isEmpty()) {
      all.addFirst(new FeatureConfig.Impute(gaps, Imputation.MEAN, 0, UPDATE_EVERY));
    }
    open.forEach(
        (name, type) -> {
          if (type == FieldType.CATEGORY) {
            all.add(oneHot(name));
          }
        });
    return List.copyOf(all);
  }

  private FeatureConfig oneHot(String name) {
    Optional<Field> found = fields.stream().filter(field -> field.name().equals(name)).findFirst();
    return new FeatureConfig.OneHot(
        List.of(name),
        found.map(Field::values).orElse(List.of()),
        capacity(found.map(Field::different).orElse(0)),
        UPDATE_EVERY);
  }

  /** A power of two that has room for a few more. */
  private static int capacity(int different) {
    int wanted = Math.max(LEAST_CAPACITY, different + different / 4);
    return Integer.highestOneBit(2 * wanted - 1);
  }
}
