package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which columns a {@code fields} list means: types, names, or patterns with {@code *}. */
public final class FieldSelector {
  private FieldSelector() {}

  /** Whether one of {@code fields} names the column or its type, or matches its name. */
  public static boolean selects(List<String> fields, String name, Kind kind) {
    return fields.stream()
        .anyMatch(f -> f.equals(kind.name().toLowerCase(Locale.ROOT)) || matches(f, name));
  }

  /** Likewise of a column; an element is meant by its vector's name too, and is a {@code vector} and no {@code number}. */
  public static boolean selects(List<String> fields, Column column) {
    String vector = column.rules().vector();
    return vector.isEmpty()
        ? selects(fields, column.name(), column.kind())
        : fields.stream()
            .anyMatch(f -> f.equals("vector") || matches(f, vector) || matches(f, column.name()));
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
