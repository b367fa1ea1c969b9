package io.penstock.config;

import io.penstock.config.ConfigException.Problem;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Texts to nodes, and nodes with other values in places. Nodes from outside know their place, constants do not. */
final class Yaml {
  /** How the name of a place begins that is no file. */
  static final String SET = "--set ";

  private static final Set<String> EMPTY = Set.of("", "~", "null");

  private static final LoadSettings WITHOUT_PLACES =
      LoadSettings.builder().setUseMarks(false).build();
  private static final Map<String, Node> CONSTANTS = new ConcurrentHashMap<>();

  private Yaml() {}

  /**
   * Reads a text.
   *
   * @param name what messages call the text: a file's name
   * @return the one document; empty where there is nothing but comments
   */
  static Optional<Node> compose(String name, String text) {
    try {
      return new Compose(
              LoadSettings.builder()
                  .setLabel(name)
                  .setUseMarks(true)
                  .setAllowNonScalarKeys(true) // the binder objects, naming the line
                  .build())
          .composeString(text);
    } catch (MarkedYamlEngineException e) {
      Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
      boolean set = name.startsWith(SET);
      throw new ConfigException(
          new Problem(
              name,
              set ? 0 : mark.map(m -> m.getLine() + 1).orElse(0),
              set ? 0 : mark.map(m -> m.getColumn() + 1).orElse(0),
              "is not YAML: " + oneLine(e.getProblem())));
    } catch (YamlEngineException e) {
      throw new ConfigException(new Problem(name, 0, 0, "is not YAML: " + oneLine(e.toString())));
    }
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  /** A node of the program's own, without a place. */
  static Node constant(String text) {
    return CONSTANTS.computeIfAbsent(
        text, yaml -> new Compose(WITHOUT_PLACES).composeString(yaml).orElseThrow());
  }

  /** Whether nothing stands there, or YAML's null. */
  static boolean isEmpty(Node node) {
    return node instanceof ScalarNode scalar
        && scalar.isPlain()
        && EMPTY.contains(scalar.getValue());
  }

  static boolean isText(Node node, String text) {
    return node instanceof ScalarNode scalar && scalar.getValue().equals(text);
  }

  /** A value as it is shown in a message. */
  static String describe(Node node) {
    return switch (node) {
      case ScalarNode scalar when isEmpty(node) -> "empty";
      case ScalarNode scalar when !scalar.isPlain() -> "the text \"" + scalar.getValue() + '"';
      case ScalarNode scalar -> scalar.getValue();
      case SequenceNode list -> "a list";
      default -> "a map";
    };
  }

  /**
   * The document with one value set.
   *
   * @param set {@code a.b=c}, {@code c} being YAML; items of lists by their index: {@code a.0=c}
   */
  static Node override(Node root, Class<?> type, String set) {
    int equals = set.indexOf('=');
    if (equals < 1) {
      throw new ConfigException(new Problem(SET + set, 0, 0, "must have the form key.key=value"));
    }
    // Whoever sets a token to itself is told so, without showing it again.
    String name = SET + (set.contains("token") ? set.substring(0, equals) : set);
    String text = set.substring(equals + 1);
    Mark mark = new Mark(name, 0, 0, 0, new int[0], 0);
    Node value =
        compose(name, text)
            .orElseGet(
                () ->
                    new ScalarNode(
                        Tag.NULL,
                        true,
                        "",
                        ScalarStyle.PLAIN,
                        Optional.of(mark),
                        Optional.of(mark)));
    List<String> keys = List.of(set.substring(0, equals).split("\\.", -1));
    return with(root, type, keys, value, mark);
  }

  private static Node with(
      @Nullable Node node, @Nullable Type type, List<String> keys, Node value, Mark mark) {
    if (keys.isEmpty()) {
      return value;
    }
    if (node instanceof ScalarNode && type instanceof Class<?> record && alone(record) != null) {
      Node whole = with(null, type, List.of(Objects.requireNonNull(alone(record))), node, mark);
      return with(whole, type, keys, value, mark);
    }
    boolean named = type instanceof ParameterizedType of && of.getRawType() == Map.class;
    if (node instanceof SequenceNode || (type instanceof ParameterizedType && !named)) {
      return withItem(node, type, keys, value, mark);
    }
    int length = named ? nameLength(node, Setting.child(type, ""), keys) : 1;
    String key = String.join(".", keys.subList(0, length));
    List<String> rest = keys.subList(length, keys.size());
    List<NodeTuple> entries = new ArrayList<>();
    Node old = null;
    if (node instanceof MappingNode map && !otherCase(map, type, key)) {
      for (NodeTuple entry : map.getValue()) {
        if (isText(entry.getKeyNode(), key)) {
          old = entry.getValueNode();
        } else {
          entries.add(entry);
        }
      }
    }
    Node keyNode =
        new ScalarNode(Tag.STR, true, key, ScalarStyle.PLAIN, Optional.of(mark), Optional.of(mark));
    entries.add(new NodeTuple(keyNode, with(old, Setting.child(type, key), rest, value, mark)));
    return new MappingNode(
        Tag.MAP, true, entries, FlowStyle.BLOCK, Optional.of(mark), Optional.of(mark));
  }

  /** The key that a value stands for which is no map; null where none does. */
  private static @Nullable String alone(Class<?> type) {
    Class<?> written = Setting.written(type);
    Setting alone = written.isRecord() ? Setting.alone(written) : null;
    return alone == null ? null : alone.name();
  }

  /**
   * How many of the keys are a name in a map. Names of fields may have dots in them: the longest that is there already, or else all
   * of them; those of sources, which have keys below them, may not.
   */
  private static int nameLength(@Nullable Node node, @Nullable Type values, List<String> keys) {
    if (values instanceof Class<?> of && of.isSealed()) {
      return 1;
    }
    for (int length = keys.size(); length > 0 && node instanceof MappingNode map; length--) {
      String name = String.join(".", keys.subList(0, length));
      if (map.getValue().stream().anyMatch(entry -> isText(entry.getKeyNode(), name))) {
        return length;
      }
    }
    return keys.size();
  }

  /** A choice that is made anew forgets the settings of the old one. */
  private static boolean otherCase(MappingNode map, @Nullable Type type, String key) {
    return type instanceof Class<?> plain
        && plain.isSealed()
        && map.getValue().stream().noneMatch(entry -> isText(entry.getKeyNode(), key));
  }

  private static Node withItem(
      @Nullable Node list, @Nullable Type type, List<String> keys, Node value, Mark mark) {
    Type item = type instanceof ParameterizedType of ? of.getActualTypeArguments()[0] : null;
    String key = keys.getFirst();
    int index = key.matches("\\d{1,6}") ? Integer.parseInt(key) : -1;
    if (index < 0 && !(list instanceof SequenceNode)) {
      return with(list, item, keys, value, mark); // a single value stands for a list of one
    }
    List<Node> items =
        new ArrayList<>(list instanceof SequenceNode sequence ? sequence.getValue() : List.of());
    if (index < 0 || index >= items.size()) {
      throw new ConfigException(
          new Problem(
              mark.getName(),
              0,
              0,
              "%s is not the index of an item: the list has %d, counted from 0; or set it as a whole"
                  .formatted(key, items.size())));
    }
    items.set(index, with(items.get(index), item, keys.subList(1, keys.size()), value, mark));
    return new SequenceNode(
        Tag.SEQ, true, items, FlowStyle.BLOCK, Optional.of(mark), Optional.of(mark));
  }
}
