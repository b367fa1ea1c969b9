package io.penstock.ingest.codec;

import io.penstock.config.FieldConfig;
import io.penstock.config.FieldConfig.Missing;
import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.BlockSchema.Rules;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** From the schema as configured, patterns and all, to the columns that blocks have. */
public final class SchemaResolver {
  private SchemaResolver() {}

  /** Whether {@link #resolve} needs to know the names of the columns. */
  public static boolean hasPatterns(SchemaConfig schema) {
    return schema.fields().keySet().stream().anyMatch(SchemaResolver::isPattern);
  }

  /**
   * The columns of blocks: the schema's fields in its order, each pattern replaced by the names it matches in the order of
   * {@code columnNames}. A column that an earlier entry or a field by name has taken is left out of a pattern, and so are
   * label, weight and event time.
   *
   * @param columnNames of the header or the configuration; empty where there are none, then patterns are an error
   * @param nullable whether a column may be empty, because an operator imputes it
   * @throws SourceException where a name or a pattern matches no column
   */
  public static BlockSchema resolve(
      SchemaConfig schema, List<String> columnNames, Predicate<Column> nullable) {
    Map<String, Column> named = new LinkedHashMap<>();
    schema.fields().forEach((field, config) -> name(field, config, named));
    Map<String, Column> all = new LinkedHashMap<>();
    schema
        .fields()
        .forEach(
            (field, config) -> {
              if (isPattern(field)) {
                expand(schema, field, config, columnNames, named.keySet(), all);
              } else {
                name(field, config, all);
              }
            });
    List<Column> columns =
        all.values().stream()
            .map(
                c ->
                    withNullable(c, c.nullable() && c.rules().fill().isEmpty() && nullable.test(c)))
            .toList();
    if (columns.isEmpty()) {
      throw new SourceException("schema: no field to learn from; name at least one under fields");
    }
    BlockSchema resolved =
        new BlockSchema(columns, label(schema.label()), schema.weight(), schema.eventTime());
    if (!columnNames.isEmpty()) {
      ColumnMap.of(resolved, columnNames, "the data");
    }
    return resolved;
  }

  /** Adds the column of a field, or the columns of a vector; none for a pattern. */
  private static void name(String field, FieldConfig config, Map<String, Column> into) {
    if (isPattern(field)) {
      return;
    }
    if (config.type() != FieldType.VECTOR) {
      into.put(field, column(field, "", config));
      return;
    }
    int size = Objects.requireNonNull(config.size(), "a vector has a size");
    for (int i = 0; i < size; i++) {
      String element = "%s[%d]".formatted(field, i);
      into.put(element, column(element, field, config));
    }
  }

  private static Column withNullable(Column column, boolean nullable) {
    return new Column(column.name(), column.kind(), nullable, column.rules());
  }

  /** Nullable where a step may make it so. */
  private static Column column(String name, String vector, FieldConfig config) {
    Rules rules =
        new Rules(
            vector,
            config.min() == null ? Float.NEGATIVE_INFINITY : config.min().floatValue(),
            config.max() == null ? Float.POSITIVE_INFINITY : config.max().floatValue(),
            config.fill() == null ? "" : config.fill());
    return new Column(name, kind(config.type()), config.missing() == Missing.AUTO, rules);
  }

  private static void expand(
      SchemaConfig schema,
      String pattern,
      FieldConfig config,
      List<String> names,
      Set<String> named,
      Map<String, Column> into) {
    Pattern expression =
        Pattern.compile(Pattern.quote(pattern).replace("*", "\\E.*\\Q"), Pattern.DOTALL);
    List<String> matching =
        names.stream().filter(name -> expression.matcher(name).matches()).toList();
    if (matching.isEmpty()) {
      throw new SourceException(
          "schema: pattern '%s' matches no column; columns are: %s. Correct it, or name the columns under format.csv.columns"
              .formatted(pattern, names.isEmpty() ? "(unknown)" : String.join(", ", names)));
    }
    for (String name : matching) {
      boolean taken =
          name.equals(schema.label().field())
              || name.equals(schema.weight())
              || name.equals(schema.eventTime())
              || named.contains(name);
      if (!taken) {
        into.putIfAbsent(name, column(name, "", config));
      }
    }
  }

  private static boolean isPattern(String field) {
    return field.contains("*");
  }

  private static Kind kind(FieldType type) {
    return switch (type) {
      case NUMBER, VECTOR -> Kind.NUMBER;
      case FLAG -> Kind.FLAG;
      case CATEGORY -> Kind.CATEGORY;
    };
  }

  private static Label label(LabelConfig label) {
    boolean named = label.classes().stream().anyMatch(name -> !name.isEmpty());
    return label.type() == LabelType.NUMBER
        ? new Label(label.field(), 0, List.of())
        : new Label(label.field(), label.count(), named ? label.classes() : List.of());
  }
}
