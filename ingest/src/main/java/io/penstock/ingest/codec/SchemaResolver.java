package io.penstock.ingest.codec;

import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
   * @param nullable whether a column (given as not nullable) may be empty, because an operator imputes it
   * @throws SourceException where a name or a pattern matches no column
   */
  public static BlockSchema resolve(
      SchemaConfig schema, List<String> columnNames, Predicate<Column> nullable) {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    schema
        .fields()
        .forEach(
            (field, type) -> {
              if (isPattern(field)) {
                expand(schema, field, kind(type), columnNames, kinds);
              } else {
                kinds.put(field, kind(type));
              }
            });
    List<Column> columns =
        kinds.entrySet().stream()
            .map(e -> new Column(e.getKey(), e.getValue(), false))
            .map(c -> nullable.test(c) ? new Column(c.name(), c.kind(), true) : c)
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

  private static void expand(
      SchemaConfig schema, String pattern, Kind kind, List<String> names, Map<String, Kind> into) {
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
              || schema.fields().containsKey(name);
      if (!taken) {
        into.putIfAbsent(name, kind);
      }
    }
  }

  private static boolean isPattern(String field) {
    return field.contains("*");
  }

  private static Kind kind(FieldType type) {
    return switch (type) {
      case NUMBER -> Kind.NUMBER;
      case FLAG -> Kind.FLAG;
      case CATEGORY -> Kind.CATEGORY;
    };
  }

  private static Label label(LabelConfig label) {
    boolean named = label.classes().stream().anyMatch(name -> !name.isEmpty());
    return label.type() == LabelType.NUMBER
        ? new Label(label.field(), 0, List.of())
        : new Label(
            label.field(), label.count(), named ? label.classes() : List.of(), label.weights());
  }
}
