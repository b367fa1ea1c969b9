package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Kind;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which columns a {@code fields} list means: types, names, or patterns with {@code *}. */
public final class FieldSelector {
  private FieldSelector() {}

  /** Whether one of {@code fields} names the column or its type, or matches its name. */
  public static boolean selects(List<String> fields, String name, Kind kind) {
    return fields.contains(kind.name().toLowerCase(Locale.ROOT)) || matches(fields, name);
  }

  /** Whether one of {@code patterns} matches the name. */
  static boolean matches(List<String> patterns, String name) {
    return patterns.stream().anyMatch(pattern -> matches(pattern, name));
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
