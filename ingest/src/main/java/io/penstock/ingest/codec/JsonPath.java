package io.penstock.ingest.codec;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a field lies in a JSON object: {@code user.age}, {@code items[0].price}, {@code ["a.b"].c}. A key with a dot or a bracket
 * in it is put in quotes and brackets, with backslashes before quotes and backslashes.
 *
 * @param steps keys as {@link String}, indices as {@link Integer}; the first one is a key
 */
public record JsonPath(List<Object> steps) {
  /** Copies the steps. */
  public JsonPath {
    steps = List.copyOf(steps);
  }

  /**
   * Reads a path.
   *
   * @throws SourceException where it is none
   */
  static JsonPath parse(String text) {
    List<Object> steps = new ArrayList<>();
    int p = 0;
    while (p < text.length()) {
      if (text.startsWith("[\"", p)) {
        StringBuilder key = new StringBuilder();
        p = quoted(text, p + 2, key);
        steps.add(key.toString());
      } else if (text.charAt(p) == '[' && !steps.isEmpty()) {
        int end = text.indexOf(']', p);
        steps.add(index(text, p + 1, end));
        p = end + 1;
      } else {
        int from = steps.isEmpty() ? p : p + 1;
        int end = plainEnd(text, from);
        if (end == from || (!steps.isEmpty() && text.charAt(p) != '.')) {
          throw wrong(text);
        }
        steps.add(text.substring(from, end));
        p = end;
      }
    }
    if (steps.isEmpty()) {
      throw wrong(text);
    }
    return new JsonPath(steps);
  }

  private static int plainEnd(String text, int from) {
    int p = from;
    while (p < text.length() && text.charAt(p) != '.' && text.charAt(p) != '[') {
      p++;
    }
    return p;
  }

  /** Reads a key up to its quote and bracket; answers the index behind these. */
  private static int quoted(String text, int from, StringBuilder into) {
    int p = from;
    while (p < text.length() && text.charAt(p) != '"') {
      p += text.charAt(p) == '\\' ? 1 : 0;
      if (p == text.length()) {
        throw wrong(text);
      }
      into.append(text.charAt(p));
      p++;
    }
    if (!text.startsWith("\"]", p)) {
      throw wrong(text);
    }
    return p + 2;
  }

  private static int index(String text, int from, int to) {
    if (to < 0 || !text.substring(from, to).matches("\\d{1,6}")) {
      throw wrong(text);
    }
    return Integer.parseInt(text.substring(from, to));
  }

  private static SourceException wrong(String text) {
    return new SourceException(
        "schema: '%s' is no path in JSON; write a.b, a[0].b, or [\"a.b\"] for a key with a dot or a bracket in it"
            .formatted(text));
  }

  /** The path as {@link #parse} takes it. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Object step : steps) {
      if (step instanceof Integer) {
        text.append('[').append(step).append(']');
      } else {
        append((String) step, text);
      }
    }
    return text.toString();
  }

  private static void append(String key, StringBuilder to) {
    if (key.isEmpty() || plainEnd(key, 0) < key.length()) {
      to.append("[\"").append(key.replace("\\", "\\\\").replace("\"", "\\\"")).append("\"]");
    } else {
      to.append(to.isEmpty() ? "" : ".").append(key);
    }
  }
}
