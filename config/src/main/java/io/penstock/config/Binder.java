package io.penstock.config;

import io.penstock.config.ConfigException.Problem;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Makes records of YAML nodes: a record is a map with its components for keys, a sealed interface a map whose one key names the
 * case, an enum its constant in lower case. It goes on after a problem, to find the others; a method that returns null where a
 * value was asked for has noted a problem.
 */
final class Binder {
  private final String file;
  private final Map<String, Mark> marks = new HashMap<>();
  private final List<Problem> problems = new ArrayList<>();

  Binder(String file) {
    this.file = file;
  }

  List<Problem> problems() {
    return problems;
  }

  /**
   * Makes a value of a node.
   *
   * @param path of the node, from the root; empty: the root
   * @param given values for components that the node leaves out
   */
  <T> @Nullable T bind(Node node, Class<T> type, String path, Map<String, Object> given) {
    node.getStartMark().ifPresent(mark -> marks.put(path, mark));
    Setting root = new Setting(path, type, "", "", null, Key.Unit.PLAIN, false);
    Object value =
        type.isRecord() ? written(node, type, root, path, given) : value(node, type, root, path);
    return type.cast(value);
  }

  @Nullable Object value(Node node, Type type, Setting setting, String path) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      return generic.getRawType() == List.class
          ? list(node, of[0], setting, path)
          : map(node, of[1], setting, path);
    }
    Class<?> plain = (Class<?>) type;
    if (plain.isSealed()) {
      return sealed(node, plain, setting, path);
    }
    return plain.isRecord()
        ? written(node, plain, setting, path, Map.of())
        : scalar(node, plain, setting, path);
  }

  // Records

  private @Nullable Object written(
      Node node, Class<?> type, Setting setting, String path, Map<String, Object> given) {
    Class<?> written = Setting.written(type);
    Object bound = record(node, written, setting, path, given);
    if (!(bound instanceof WrittenAs.Form form)) {
      return bound;
    }
    try {
      return form.meaning();
    } catch (InvalidSetting e) {
      return problem(join(path, e.key()), e.problem());
    }
  }

  private @Nullable Object record(
      Node node, Class<?> type, Setting setting, String path, Map<String, Object> given) {
    if (!(node instanceof MappingNode map)) {
      return wrong(node, type, setting, path);
    }
    int before = problems.size();
    Map<String, NodeTuple> entries = entries(map, path);
    List<Setting> settings = Setting.of(type);
    @Nullable Object[] values = new @Nullable Object[settings.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = component(settings.get(i), entries, given, path);
    }
    List<String> known = settings.stream().map(Setting::name).toList();
    for (String key : entries.keySet()) {
      if (!known.contains(key)) {
        unknown(join(path, key), key, known, Setting.planned(type));
      }
    }
    return problems.size() > before ? null : create(type, values, path);
  }

  private @Nullable Object component(
      Setting setting, Map<String, NodeTuple> entries, Map<String, Object> given, String path) {
    String at = join(path, setting.name());
    NodeTuple entry = entries.get(setting.name());
    if (entry == null && given.containsKey(setting.name())) {
      return given.get(setting.name());
    }
    if (entry == null && setting.byDefault().isEmpty()) {
      return setting.optional() ? null : problem(at, "is required: " + setting.expected());
    }
    Node node = entry == null ? Yaml.constant(setting.byDefault()) : entry.getValueNode();
    if (Yaml.isText(node, "none")) {
      if (setting.optional()) {
        return null;
      }
      node = setting.none().isEmpty() ? node : Yaml.constant(setting.none());
    }
    return value(node, setting.type(), setting, at);
  }

  private @Nullable Object create(Class<?> type, @Nullable Object[] values, String path) {
    Class<?>[] types = new Class<?>[values.length];
    for (int i = 0; i < types.length; i++) {
      types[i] = type.getRecordComponents()[i].getType();
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof InvalidSetting invalid) {
        return problem(join(path, invalid.key()), invalid.problem());
      }
      throw new IllegalStateException("cannot make " + type, e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make " + type, e);
    }
  }

  /** The entries of a map by key, their places noted. */
  private Map<String, NodeTuple> entries(MappingNode map, String path) {
    Map<String, NodeTuple> entries = new LinkedHashMap<>();
    for (NodeTuple entry : map.getValue()) {
      if (!(entry.getKeyNode() instanceof ScalarNode key)) {
        problem(path, "has " + Yaml.describe(entry.getKeyNode()) + " for a key; keys are texts");
        continue;
      }
      String at = join(path, key.getValue());
      boolean twice = entries.put(key.getValue(), entry) != null;
      Mark first = marks.get(at);
      key.getStartMark().ifPresent(mark -> marks.put(at, mark));
      if (twice) {
        problem(at, "is there twice, first in line " + (first == null ? 0 : first.getLine() + 1));
      }
    }
    return entries;
  }

  // Choices

  private @Nullable Object sealed(Node node, Class<?> type, Setting setting, String path) {
    Map<String, Class<?>> cases = Setting.cases(type);
    if (node instanceof ScalarNode scalar && !Yaml.isEmpty(node)) {
      return choice(scalar.getValue(), Yaml.constant("{}"), type, setting, path, path);
    }
    if (!(node instanceof MappingNode map)) {
      return wrong(node, type, setting, path);
    }
    Map<String, NodeTuple> entries = entries(map, path);
    for (String key : entries.keySet()) {
      if (!cases.containsKey(key)) {
        return choice(key, map, type, setting, path, join(path, key));
      }
    }
    if (entries.size() != 1) {
      String found = entries.isEmpty() ? "none" : String.join(" and ", entries.keySet());
      return problem(path, "must be exactly " + setting.expected(type) + ", not " + found);
    }
    String name = entries.keySet().iterator().next();
    Node settings = entries.values().iterator().next().getValueNode();
    Node content = Yaml.isEmpty(settings) ? Yaml.constant("{}") : settings;
    return choice(name, content, type, setting, path, join(path, name));
  }

  private @Nullable Object choice(
      String name, Node content, Class<?> type, Setting setting, String path, String place) {
    Map<String, Class<?>> cases = Setting.cases(type);
    Class<?> chosen = cases.get(name);
    if (chosen == null) {
      return unknown(place, name, cases.keySet(), Setting.planned(type));
    }
    return written(content, chosen, setting, join(path, name), Map.of());
  }

  // Lists, maps, scalars

  /** A single value is a list of one. */
  private @Nullable Object list(Node node, Type of, Setting setting, String path) {
    int before = problems.size();
    List<Object> values = new ArrayList<>();
    List<Node> items = node instanceof SequenceNode list ? list.getValue() : List.of(node);
    for (int i = 0; i < items.size(); i++) {
      String at = node instanceof SequenceNode ? path + "[" + i + "]" : path;
      items.get(i).getStartMark().ifPresent(mark -> marks.put(at, mark));
      Object value = value(items.get(i), of, setting, at);
      if (value != null) {
        values.add(value);
      }
    }
    return problems.size() > before ? null : List.copyOf(values);
  }

  private @Nullable Object map(Node node, Type of, Setting setting, String path) {
    if (!(node instanceof MappingNode map)) {
      return wrong(node, setting.type(), setting, path);
    }
    int before = problems.size();
    Map<String, Object> values = new LinkedHashMap<>();
    entries(map, path)
        .forEach(
            (key, entry) -> {
              Object value = value(entry.getValueNode(), of, setting, join(path, key));
              if (value != null) {
                values.put(key, value);
              }
            });
    return problems.size() > before ? null : values;
  }

  private @Nullable Object scalar(Node node, Class<?> type, Setting setting, String path) {
    if (!(node instanceof ScalarNode scalar) || Yaml.isEmpty(node)) {
      return wrong(node, type, setting, path);
    }
    String text = scalar.getValue();
    if (type == String.class) {
      return text;
    }
    if (type.isEnum()) {
      return constant(text, type, setting, path);
    }
    Object value = parse(scalar, type, setting);
    if (value == null) {
      return wrong(node, type, setting, path);
    }
    return setting.allows(value)
        ? value
        : problem(path, "must be " + setting.rule() + ", not " + Yaml.describe(node));
  }

  private @Nullable Object constant(String text, Class<?> type, Setting setting, String path) {
    for (Object constant : type.getEnumConstants()) {
      if (constant.toString().toLowerCase(Locale.ROOT).equals(text)) {
        return constant;
      }
    }
    if (Setting.planned(type).contains(text)) {
      return problem(path, text + " is not built yet; it must be " + setting.expected(type));
    }
    return problem(
        path,
        "must be "
            + setting.expected(type)
            + ", not "
            + text
            + Nearest.hint(text, Setting.constants(type)));
  }

  private static @Nullable Object parse(ScalarNode node, Class<?> type, Setting setting) {
    String text = node.getValue();
    if (type == Duration.class) {
      return Scalars.duration(text);
    }
    if (setting.unit() == Key.Unit.PLAIN && !node.isPlain()) {
      return null; // "8080" in quotes is a text
    }
    if (type == boolean.class) {
      return text.equals("true") ? Boolean.TRUE : text.equals("false") ? Boolean.FALSE : null;
    }
    return Scalars.number(type, setting.unit(), text);
  }

  // Problems

  private @Nullable Object wrong(Node node, Type type, Setting setting, String path) {
    if (node instanceof ScalarNode scalar
        && type instanceof Class<?> plain
        && Setting.planned(Setting.written(plain)).contains(scalar.getValue())) {
      return problem(
          path, scalar.getValue() + " is not built yet; it must be " + setting.expected(type));
    }
    String range =
        type.equals(setting.type()) && setting.range() != null ? ", " + setting.rule() : "";
    return problem(
        path, "must be " + setting.expected(type) + range + ", not " + Yaml.describe(node));
  }

  private @Nullable Object unknown(
      String path, String name, Collection<String> known, List<String> planned) {
    String hint = Nearest.hint(name, known);
    return problem(
        path,
        (planned.contains(name) ? "is not built yet" : "is not known" + hint)
            + (hint.isEmpty() || planned.contains(name) ? "; allowed: " : " Allowed: ")
            + String.join(", ", known));
  }

  /** Notes a problem; null, for a value that is not to be had. */
  @Nullable Object problem(String path, String text) {
    Mark mark = nearest(path);
    String subject = path.isEmpty() ? "the configuration" : path;
    if (mark == null) {
      problems.add(new Problem(file, 0, 0, subject + " " + text));
    } else if (mark.getName().startsWith(Yaml.SET)) {
      problems.add(new Problem(mark.getName(), 0, 0, subject + " " + text));
    } else {
      problems.add(
          new Problem(
              mark.getName(), mark.getLine() + 1, mark.getColumn() + 1, subject + " " + text));
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

  private static String join(String path, String key) {
    return path.isEmpty() || key.isEmpty() ? path + key : path + "." + key;
  }
}
