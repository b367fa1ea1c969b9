package io.penstock.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a row holds.
 *
 * @param label what is to be predicted
 * @param weight field of the row's weight, or empty, {@code none}
 * @param eventTime field of the row's time (ISO 8601, or a number: seconds, or milliseconds above 10^11), or empty,
 *     {@code none}
 * @param infer how the types of fields that {@code fields} does not name are found out; left out: they are not, and only named
 *     fields are learnt from
 * @param fields type and rules of each field to learn from, in order; a name with {@code *} stands for all columns of the
 *     header, or all values of a JSON file's first row, that match
 */
@Planned({"key"})
public record SchemaConfig(
    LabelConfig label,
    @Key(byDefault = "none", none = "''") String weight,
    @Key(byDefault = "none", none = "''") String eventTime,
    @Nullable InferConfig infer,
    @Key(byDefault = "{}") Map<String, FieldConfig> fields) {

  /** Checks that every field has one part to play. */
  public SchemaConfig {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    if (fields.isEmpty() && infer == null) {
      throw new InvalidSetting(
          "fields",
          "must name at least one field to learn from, as name: number, flag or category (or infer: {} in place of fields)");
    }
    fields.forEach(
        (name, field) -> {
          if (field.type() == FieldType.VECTOR && name.contains("*")) {
            throw new InvalidSetting(
                "fields." + name, "must not be a pattern: each vector is named by itself");
          }
        });
    for (String part : List.of(label.field(), weight, eventTime)) {
      if (fields.containsKey(part)) {
        throw new InvalidSetting(
            "fields." + part, "must not be learnt from: it is the label, weight or event time");
      }
    }
    if (weight.equals(label.field())) {
      throw new InvalidSetting("weight", "must be another field than the label, not " + weight);
    }
    if (eventTime.equals(label.field()) || (!weight.isEmpty() && weight.equals(eventTime))) {
      throw new InvalidSetting(
          "eventTime", "must be another field than label and weight, not " + eventTime);
    }
  }

  /** With all fields named. */
  public SchemaConfig(
      LabelConfig label, String weight, String eventTime, Map<String, FieldConfig> fields) {
    this(label, weight, eventTime, null, fields);
  }

  /**
   * With what was found out: the named fields, and those of {@code found} that none of them means.
   *
   * @throws IllegalArgumentException where that is nothing
   */
  public SchemaConfig inferred(Map<String, FieldConfig> found) {
    Map<String, FieldConfig> all = new LinkedHashMap<>(fields);
    found.forEach(
        (name, field) -> {
          if (fields.keySet().stream().noneMatch(named -> FeatureFit.overlap(named, name))) {
            all.put(name, field);
          }
        });
    return new SchemaConfig(label, weight, eventTime, all);
  }

  /**
   * Types of fields by the values of the first rows. They are settled when a run begins, and kept in its checkpoints.
   *
   * @param rows looked at
   */
  public record InferConfig(@Key(byDefault = "1000", range = "[1, 1_000_000]") int rows) {
    /** Checks ranges. */
    public InferConfig {
      Setting.check(InferConfig.class, rows);
    }
  }

  /** The types of the fields to learn from, in order. */
  public Map<String, FieldType> types() {
    Map<String, FieldType> types = new LinkedHashMap<>();
    fields.forEach((name, field) -> types.put(name, field.type()));
    return types;
  }

  /**
   * What is to be predicted.
   *
   * @param classes the names, or as many empty ones as there are integer classes
   * @param count number of classes, 0 for a number
   * @param weights what the rows of each class weigh in the loss; empty where all weigh 1
   */
  @WrittenAs(LabelForm.class)
  public record LabelConfig(
      String field, LabelType type, int count, List<String> classes, List<Double> weights)
      implements WrittenAs.Meaning {
    /** A label whose classes all weigh the same. */
    public LabelConfig(String field, LabelType type, int count, List<String> classes) {
      this(field, type, count, classes, List.of());
    }

    /** Checks that names, weights and number agree. */
    public LabelConfig {
      weights = List.copyOf(weights);
      if (!weights.isEmpty() && weights.size() != count) {
        throw new InvalidSetting(
            "weights", "must be one for each of %d classes, not %s".formatted(count, weights));
      }
      if (field.isEmpty()) {
        throw new InvalidSetting("field", "must name a field, not be empty");
      }
      boolean fits = type == LabelType.CLASS ? count >= 2 : count == 0 && classes.isEmpty();
      if (!fits || (!classes.isEmpty() && classes.size() != count)) {
        throw new InvalidSetting(
            "classes",
            "must be at least 2 for a class and none for a number, not " + count + ": " + classes);
      }
      boolean unnamed = type == LabelType.CLASS && classes.isEmpty();
      classes = unnamed ? Collections.nCopies(count, "") : List.copyOf(classes);
    }

    @Override
    public WrittenAs.Form written() {
      boolean counted = type == LabelType.CLASS && classes.getFirst().isEmpty();
      Map<String, Double> byName = new LinkedHashMap<>();
      for (int c = 0; c < weights.size(); c++) {
        byName.put(counted ? Integer.toString(c) : classes.get(c), weights.get(c));
      }
      return new LabelForm(
          field, type, counted ? List.of(Integer.toString(count)) : List.copyOf(classes), byName);
    }
  }

  /**
   * A label as it is written.
   *
   * @param field the field's name
   * @param type class or number
   * @param classes for a class: how many (integers from 0 or from 1), or a list of their names
   * @param weights what rows of a class weigh in the loss, by its name or integer: 1 where it is left out; multiplied by the
   *     row's weight. Metrics count every row once all the same
   */
  record LabelForm(
      String field,
      @Key(byDefault = "class") LabelType type,
      @Key(byDefault = "[]") List<String> classes,
      @Key(byDefault = "{}") Map<String, Double> weights)
      implements WrittenAs.Form {

    @Override
    public LabelConfig meaning() {
      if (type == LabelType.NUMBER) {
        if (!classes.isEmpty()) {
          throw new InvalidSetting("classes", "must be left out for a number, not " + shown());
        }
        if (!weights.isEmpty()) {
          throw new InvalidSetting("weights", "must be left out for a number");
        }
        return new LabelConfig(field, type, 0, List.of());
      }
      if (classes.isEmpty()) {
        throw new InvalidSetting(
            "classes", "is required for a class: how many, or a list of their names");
      }
      boolean counted = classes.size() == 1 && classes.getFirst().matches("[+-]?\\d+");
      return counted ? counted() : named();
    }

    private LabelConfig counted() {
      Number count = Scalars.number(int.class, Key.Unit.PLAIN, classes.getFirst());
      if (count == null || count.intValue() < 2 || count.intValue() > MAX_CLASSES) {
        throw new InvalidSetting("classes", "must be 2 to " + MAX_CLASSES + ", not " + shown());
      }
      return new LabelConfig(
          field, type, count.intValue(), List.of(), weights(integers(count.intValue())));
    }

    private LabelConfig named() {
      if (classes.size() < 2 || classes.size() > MAX_CLASSES) {
        throw new InvalidSetting(
            "classes", "must be 2 to " + MAX_CLASSES + " names (or a number), not " + shown());
      }
      IntStream.range(0, classes.size())
          .filter(i -> classes.get(i).isEmpty() || classes.indexOf(classes.get(i)) < i)
          .forEach(
              i -> {
                throw new InvalidSetting(
                    "classes[" + i + "]",
                    "must be a name of its own, not \"" + classes.get(i) + "\"");
              });
      return new LabelConfig(field, type, classes.size(), classes, weights(classes));
    }

    /** The classes' names where they are counted: from 0 to one less than there are, or from 1, the last being the first class. */
    private static List<String> integers(int count) {
      return IntStream.rangeClosed(0, count).mapToObj(Integer::toString).toList();
    }

    /**
     * A weight for each class.
     *
     * @param names of the classes; one more where the last one is another name of the first class
     */
    private List<Double> weights(List<String> names) {
      if (weights.isEmpty()) {
        return List.of();
      }
      boolean counted = classes.size() == 1;
      int count = counted ? names.size() - 1 : names.size();
      List<Double> all = new ArrayList<>(Collections.nCopies(count, 1.0));
      weights.forEach(
          (name, weight) -> {
            int c = names.indexOf(name);
            if (c < 0) {
              throw new InvalidSetting(
                  "weights." + name,
                  "must be one of the classes, "
                      + (counted ? "an integer up to " + count : String.join(", ", names))
                      + Nearest.hint(name, names));
            }
            if (!(weight >= LEAST_WEIGHT && weight <= MOST_WEIGHT)) {
              throw new InvalidSetting(
                  "weights." + name, "must be from 0.000001 to 1000000, not " + weight);
            }
            all.set(c % count, weight);
          });
      if (counted && weights.containsKey("0") && weights.containsKey(names.getLast())) {
        throw new InvalidSetting(
            "weights." + count, "must be left out where 0 is given: both are the first class");
      }
      return all;
    }

    private String shown() {
      return classes.size() == 1 ? classes.getFirst() : classes.toString();
    }

    private static final int MAX_CLASSES = 65536;
    private static final double LEAST_WEIGHT = 1e-6;
    private static final double MOST_WEIGHT = 1e6;
  }

  /** What kind of thing is predicted. */
  public enum LabelType {
    /** One of several. */
    CLASS,
    /** How much. */
    NUMBER
  }

  /** What a field's text is read as. */
  public enum FieldType {
    /** A number. */
    NUMBER,
    /** 0 or 1. */
    FLAG,
    /** Any text; to be made features of by {@code oneHot}, {@code hash} or {@code dictionary}. */
    CATEGORY,
    /** So many numbers: an array in JSON, the columns {@code name[0]}, {@code name[1]}, … in CSV. */
    VECTOR
  }
}
