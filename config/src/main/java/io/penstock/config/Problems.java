package io.penstock.config;

import io.penstock.config.ConfigException.Problem;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** What is wrong with a file, and where its keys stand. Methods that note a problem return null: a value that is not to be had. */
final class Problems {
  private final String file;
  private final Map<String, Mark> marks = new HashMap<>();
  private final List<Problem> all = new ArrayList<>();

  Problems(String file) {
    this.file = file;
  }

  List<Problem> all() {
    return all;
  }

  int count() {
    return all.size();
  }

  /** Notes where the thing at a path stands; constants stand nowhere. */
  void place(String path, Node node) {
    node.getStartMark().ifPresent(mark -> marks.put(path, mark));
  }

  /** The line of the thing at a path, from 1; 0 where it has none. */
  int line(String path) {
    Mark mark = marks.get(path);
    return mark == null ? 0 : mark.getLine() + 1;
  }

  /** A value of another type than is wanted. */
  @Nullable Object wrong(Node node, Type type, Setting setting, String path) {
    String expected = setting.expected(type);
    if (type == TokenConfig.class) {
      return add(path, "must be " + expected + ", never the token itself");
    }
    String hint = "";
    if (type instanceof Class<?> plain && node instanceof ScalarNode scalar) {
      String text = scalar.getValue();
      if (Setting.planned(Setting.written(plain)).contains(text)) {
        return add(path, text + " is not built yet; it must be " + expected);
      }
      hint = Nearest.hint(text, Setting.words(plain));
    }
    String range =
        type.equals(setting.type()) && setting.range() != null ? ", " + setting.rule() : "";
    return add(path, "must be " + expected + range + ", not " + Yaml.describe(node) + hint);
  }

  /** A key or a case that nobody knows. */
  void unknown(String path, String name, Collection<String> known, List<String> planned) {
    String hint = Nearest.hint(name, known);
    if (planned.contains(name)) {
      add(path, "is not built yet; allowed: " + String.join(", ", known));
    } else {
      String allowed = (hint.isEmpty() ? "; allowed: " : " Allowed: ") + String.join(", ", known);
      add(path, "is not known" + (known.isEmpty() ? "; there is nothing to set" : hint + allowed));
    }
  }

  /**
   * Any problem.
   *
   * @param text rule and value, to follow the key
   */
  @Nullable Object add(String path, String text) {
    Mark mark = nearest(path);
    String message = (path.isEmpty() ? "the configuration" : path) + " " + text;
    if (mark == null) {
      all.add(new Problem(file, 0, 0, message));
    } else if (mark.getName().startsWith(Yaml.SET)) {
      all.add(new Problem(mark.getName(), 0, 0, message));
    } else {
      all.add(new Problem(mark.getName(), mark.getLine() + 1, mark.getColumn() + 1, message));
    }
    return null;
  }

  /** The place of a path, or of the nearest thing around it that the file has. */
  private @Nullable Mark nearest(String path) {
    String at = path;
    while (!marks.containsKey(at) && !at.isEmpty()) {
      at = at.substring(0, Math.max(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['))));
    }
    return marks.get(at);
  }
}
