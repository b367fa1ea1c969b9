package io.penstock.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
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
  private final Problems problems;

  Binder(String file) {
    problems = new Problems(file);
  }

  Problems problems() {
    return problems;
  }

  /**
   * Makes a value of a node.
   *
   * @param path of the node, from the root; empty: the root
   * @param given values for components that the node leaves out
   */
  <T> @Nullable T bind(Node node, Class<T> type, String path, Map<String, Object> given) {
    problems.place(path, node);
    Setting root = new Setting(path, type, "", "", null, Key.Unit.PLAIN, false, false, false);
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
      return problems.add(join(path, e.key()), e.problem());
    }
  }

  private @Nullable Object record(
      Node node, Class<?> type, Setting setting, String path, Map<String, Object> given) {
    if (!(node instanceof MappingNode map)) {
      Setting alone =
          node instanceof ScalarNode && !Yaml.isEmpty(node) ? Setting.alone(type) : null;
      return alone == null
          ? problems.wrong(node, type, setting, path)
          : recordOf(alone, node, type, path);
    }
    int before = problems.count();
    Map<String, NodeTuple> entries = entries(map, path);
    List<Setting> settings = Setting.of(type);
    @Nullable Object[] values = new @Nullable Object[settings.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = component(settings.get(i), entries, given, path);
    }
    List<String> known = settings.stream().map(Setting::name).toList();
    unknown(entries.keySet(), known, type, path);
    return problems.count() > before ? null : create(type, values, path);
  }

  /** A record of which one component is given, and the others have their defaults. */
  private @Nullable Object recordOf(Setting alone, Node node, Class<?> type, String path) {
    int before = problems.count();
    List<Setting> settings = Setting.of(type);
    @Nullable Object[] values = new @Nullable Object[settings.size()];
    for (int i = 0; i < values.length; i++) {
      Setting setting = settings.get(i);
      values[i] =
          setting.equals(alone)
              ? value(node, setting.type(), setting, path)
              : component(setting, Map.of(), Map.of(), path);
    }
    return problems.count() > before ? null : create(type, values, path);
  }

  private @Nullable Object component(
      Setting setting, Map<String, NodeTuple> entries, Map<String, Object> given, String path) {
    String at = join(path, setting.name());
    NodeTuple entry = entries.get(setting.name());
    if (entry == null && given.containsKey(setting.name())) {
      return given.get(setting.name());
    }
    if (entry == null && setting.byDefault().isEmpty()) {
      return setting.optional() ? null : problems.add(at, "is required: " + setting.expected());
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
        return problems.add(join(path, invalid.key()), invalid.problem());
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
        problems.add(
            path, "has " + Yaml.describe(entry.getKeyNode()) + " for a key; keys are texts");
        continue;
      }
      String at = join(path, key.getValue());
      int first = problems.line(at);
      problems.place(at, key);
      if (entries.put(key.getValue(), entry) != null) {
        problems.add(at, "is there twice, first in line " + first);
      }
    }
    return entries;
  }

  // Choices

  private @Nullable Object sealed(Node node, Class<?> type, Setting setting, String path) {
    Map<String, Class<?>> cases = Setting.cases(type);
    if (node instanceof ScalarNode scalar && cases.containsKey(scalar.getValue())) {
      return choice(cases, scalar.getValue(), Yaml.constant("{}"), setting, path);
    }
    if (!(node instanceof MappingNode map)) {
      return problems.wrong(node, type, setting, path);
    }
    Map<String, NodeTuple> entries = entries(map, path);
    if (unknown(entries.keySet(), cases.keySet(), type, path)) {
      return null;
    }
    if (entries.size() != 1) {
      String found = entries.isEmpty() ? "none" : String.join(" and ", entries.keySet());
      return problems.add(path, "must be exactly " + setting.expected(type) + ", not " + found);
    }
    String name = entries.keySet().iterator().next();
    Node settings = Objects.requireNonNull(entries.get(name)).getValueNode();
    Node content = Yaml.isEmpty(settings) ? Yaml.constant("{}") : settings;
    return choice(cases, name, content, setting, path);
  }

  private @Nullable Object choice(
      Map<String, Class<?>> cases, String name, Node content, Setting setting, String path) {
    Class<?> type = Objects.requireNonNull(cases.get(name));
    return written(content, type, setting, join(path, name), Map.of());
  }

  private boolean unknown(
      Collection<String> keys, Collection<String> known, Class<?> type, String path) {
    boolean any = false;
    for (String key : keys) {
      if (!known.contains(key)) {
        problems.unknown(join(path, key), key, known, Setting.planned(type));
        any = true;
      }
    }
    return any;
  }

  // Lists, maps, scalars

  /** A single value is a list of one. */
  private @Nullable Object list(Node node, Type of, Setting setting, String path) {
    int before = problems.count();
    List<Object> values = new ArrayList<>();
    List<Node> items = node instanceof SequenceNode list ? list.getValue() : List.of(node);
    for (int i = 0; i < items.size(); i++) {
      String at = node instanceof SequenceNode ? path + "[" + i + "]" : path;
      problems.place(at, items.get(i));
      Object value = value(items.get(i), of, setting, at);
      if (value != null) {
        values.add(value);
      }
    }
    return problems.count() > before ? null : List.copyOf(values);
  }

  private @Nullable Object map(Node node, Type of, Setting setting, String path) {
    if (!(node instanceof MappingNode map)) {
      return problems.wrong(node, setting.type(), setting, path);
    }
    int before = problems.count();
    Map<String, Object> values = new LinkedHashMap<>();
    entries(map, path)
        .forEach(
            (key, entry) -> {
              Object value = value(entry.getValueNode(), of, setting, join(path, key));
              if (value != null) {
                values.put(key, value);
              }
            });
    return problems.count() > before ? null : values;
  }

  private @Nullable Object scalar(Node node, Class<?> type, Setting setting, String path) {
    if (!(node instanceof ScalarNode scalar) || Yaml.isEmpty(node)) {
      return problems.wrong(node, type, setting, path);
    }
    String text = scalar.getValue();
    if (type == String.class) {
      return text;
    }
    Object value = type.isEnum() ? constant(text, type) : parse(scalar, type, setting);
    if (value == null) {
      return problems.wrong(node, type, setting, path);
    }
    return setting.allows(value)
        ? value
        : problems.add(path, "must be " + setting.rule() + ", not " + Yaml.describe(node));
  }

  private static @Nullable Object constant(String text, Class<?> type) {
    for (Object constant : type.getEnumConstants()) {
      if (constant.toString().toLowerCase(Locale.ROOT).equals(text)) {
        return constant;
      }
    }
    return null;
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

  private static String join(String path, String key) {
    return path.isEmpty() || key.isEmpty() ? path + key : path + "." + key;
  }
}
