package io.penstock.app.sample;

/** Names of nested JSON fields, as the format {@code json} takes them. */
final class JsonPaths {
  private JsonPaths() {}

  /** The path of a key below another; empty: the root. A key with a dot or a bracket stands in brackets and quotes. */
  static String child(String path, String key) {
    boolean plain = !key.isEmpty() && key.chars().noneMatch(c -> ".[]\"*".indexOf(c) >= 0);
    if (plain) {
      return path.isEmpty() ? key : path + "." + key;
    }
    return path + "[\"" + key.replace("\\", "\\\\").replace("\"", "\\\"") + "\"]";
  }
}
