package io.penstock.ingest.codec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lines of JSON with values at given paths, as a decoder for these fields takes them. Not thread-safe. */
public final class JsonLines {
  private final List<String> pieces = new ArrayList<>(); // before each value, and behind the last
  private final List<Integer> indices = new ArrayList<>(); // of the values between them
  private final StringBuilder piece = new StringBuilder();

  /**
   * Lines with these fields.
   *
   * @param paths as the schema names fields, each another
   * @throws SourceException where one is no path
   */
  public JsonLines(List<String> paths) {
    Map<Object, Object> tree = new LinkedHashMap<>();
    for (int i = 0; i < paths.size(); i++) {
      put(tree, JsonPath.parse(paths.get(i)).steps(), i);
    }
    write(tree);
    pieces.add(piece.append('\n').toString());
  }

  /** Maps by key for objects, by index for arrays; the values' indices are the leaves, wrapped. */
  @SuppressWarnings("unchecked")
  private static void put(Map<Object, Object> tree, List<Object> steps, int index) {
    Map<Object, Object> at = tree;
    for (int i = 0; i < steps.size() - 1; i++) {
      boolean array = steps.get(i + 1) instanceof Integer;
      at =
          (Map<Object, Object>)
              at.computeIfAbsent(
                  steps.get(i), key -> array ? new TreeMap<>() : new LinkedHashMap<>());
    }
    at.put(steps.getLast(), new Leaf(index));
  }

  private record Leaf(int index) {}

  private void write(Object node) {
    switch (node) {
      case Leaf(int index) -> {
        pieces.add(piece.toString());
        indices.add(index);
        piece.setLength(0);
      }
      case TreeMap<?, ?> array -> {
        int last = (Integer) array.lastKey();
        for (int i = 0; i <= last; i++) {
          piece.append(i == 0 ? '[' : ',');
          Object element = array.get(i);
          if (element == null) {
            piece.append("null");
          } else {
            write(element);
          }
        }
        piece.append(']');
      }
      case Map<?, ?> object -> {
        char before = '{';
        for (Map.Entry<?, ?> member : object.entrySet()) {
          piece.append(before).append(string((String) member.getKey())).append(':');
          write(member.getValue());
          before = ',';
        }
        piece.append('}');
      }
      default -> throw new AssertionError(node);
    }
  }

  /**
   * Appends a line.
   *
   * @param values by path, as they are to stand in JSON
   */
  public void append(List<String> values, StringBuilder to) {
    for (int i = 0; i < indices.size(); i++) {
      to.append(pieces.get(i)).append(values.get(indices.get(i)));
    }
    to.append(pieces.getLast());
  }

  /** A text as a string of JSON. */
  public static String string(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ') {
        quoted.append("\\u00").append(c < 16 ? "0" : "").append(Integer.toHexString(c));
      } else {
        quoted.append(c == '"' || c == '\\' ? "\\" : "").append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
