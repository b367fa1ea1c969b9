package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Column;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which columns a {@code fields} list means: types, names, or patterns with {@code *}. */
public final class FieldSelector {
  private static final String VECTOR = "vector";

  private FieldSelector() {}

  /** Whether one of {@code fields} is the column's type, or {@link #names} it; an element is a {@code vector} and no {@code number}. */
  public static boolean selects(List<String> fields, Column column) {
    String type =
        column.rules().vector().isEmpty() ? column.kind().name().toLowerCase(Locale.ROOT) : VECTOR;
    return fields.contains(type) || names(fields, column);
  }

  /** Whether one of {@code patterns} matches the column's name, or the name of the vector whose element it is. */
  static boolean names(List<String> patterns, Column column) {
    String vector = column.rules().vector();
    return patterns.stream()
        .anyMatch(
            pattern ->
                matches(pattern, column.name()) || (!vector.isEmpty() && matches(pattern, vector)));
  }

  /** Whether {@code name} is {@code pattern}, in which {@code *} stands for any text. */
  public static boolean matches(String pattern, String name) {
    if (pattern.indexOf('*') < 0) {
      return pattern.equals(name);
    }
    String regex = Pattern.quote(pattern).replace("*", "\\E.*\\Q");
    return Pattern.matches(regex, name);
  }
}
