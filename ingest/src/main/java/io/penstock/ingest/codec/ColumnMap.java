package io.penstock.ingest.codec;

import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What each column of a partition's rows is for.
 *
 * @param names of the columns as they come
 * @param roles what to do with each
 * @param indices for features, their index in the schema; -1 otherwise
 */
record ColumnMap(List<String> names, List<Role> roles, List<Integer> indices) {

  enum Role {
    IGNORED,
    NUMBER,
    FLAG,
    CATEGORY,
    NUMBER_LABEL,
    INTEGER_CLASS,
    NAMED_CLASS,
    WEIGHT,
    TIME
  }

  /** The columns where neither header nor configuration names them: features, weight, time, label. */
  static List<String> defaultNames(BlockSchema schema) {
    List<String> names = new ArrayList<>(schema.columns().stream().map(Column::name).toList());
    if (schema.weighted()) {
      names.add(schema.weightField());
    }
    if (schema.timed()) {
      names.add(schema.timeField());
    }
    names.add(schema.label().field());
    return names;
  }

  /**
   * Finds every field of the schema among the columns; columns that it does not name are ignored.
   *
   * @param where what has these columns, for errors
   */
  static ColumnMap of(BlockSchema schema, List<String> names, String where) {
    return of(schema, names, where, true, schema.timed());
  }

  /**
   * As {@link #of}, but for rows to be predicted: label and weight need not be there, and are ignored where they are.
   *
   * @param timed whether the event time must be there; otherwise it is ignored, too
   */
  static ColumnMap ofFeatures(BlockSchema schema, List<String> names, String where, boolean timed) {
    return of(schema, names, where, false, timed);
  }

  private static ColumnMap of(
      BlockSchema schema, List<String> names, String where, boolean labelled, boolean timed) {
    Map<String, Integer> positions = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      if (!names.get(i).isEmpty() && positions.put(names.get(i), i) != null) {
        throw new SourceException(
            "%s: column '%s' is named twice; names must differ. Columns: %s"
                .formatted(where, names.get(i), String.join(", ", names)));
      }
    }
    Role[] roles = new Role[names.size()];
    Arrays.fill(roles, Role.IGNORED);
    Integer[] indices = new Integer[names.size()];
    Arrays.fill(indices, -1);
    for (int i = 0; i < schema.columns().size(); i++) {
      Column column = schema.columns().get(i);
      int at = find(column.name(), names, positions, where);
      claim(roles, at, role(column), names, where);
      indices[at] = i;
    }
    if (labelled) {
      claim(
          roles,
          find(schema.label().field(), names, positions, where),
          label(schema),
          names,
          where);
      if (schema.weighted()) {
        claim(
            roles, find(schema.weightField(), names, positions, where), Role.WEIGHT, names, where);
      }
    }
    if (timed) {
      claim(roles, find(schema.timeField(), names, positions, where), Role.TIME, names, where);
    }
    return new ColumnMap(List.copyOf(names), List.of(roles), List.of(indices));
  }

  private static int find(
      String field, List<String> names, Map<String, Integer> positions, String where) {
    Integer at = positions.get(field);
    if (at == null) {
      throw new SourceException(
          "%s: no column '%s', which the schema names; columns are: %s"
              .formatted(where, field, String.join(", ", names)));
    }
    return at;
  }

  private static void claim(Role[] roles, int at, Role role, List<String> names, String where) {
    if (roles[at] != Role.IGNORED) {
      throw new SourceException(
          "%s: the schema uses column '%s' twice, as %s and %s; a column has one use"
              .formatted(where, names.get(at), text(roles[at]), text(role)));
    }
    roles[at] = role;
  }

  private static String text(Role role) {
    return role.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Role role(Column column) {
    return switch (column.kind()) {
      case NUMBER -> Role.NUMBER;
      case FLAG -> Role.FLAG;
      case CATEGORY -> Role.CATEGORY;
    };
  }

  private static Role label(BlockSchema schema) {
    if (!schema.label().isClass()) {
      return Role.NUMBER_LABEL;
    }
    return schema.label().classNames().isEmpty() ? Role.INTEGER_CLASS : Role.NAMED_CLASS;
  }
}
