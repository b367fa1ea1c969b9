package io.penstock.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes the JSON schema of a configuration, for editors: of the same settings as {@link ReferencePage}, with the same words. It
 * knows each setting by itself; what settings demand of each other, the reader says.
 */
final class EditorSchema {
  /** Digits in groups, which are a text for YAML. */
  private static final String GROUPED =
      "[+-]?[0-9]+(_[0-9]+)*(\\.[0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+)?";

  private static final String AMOUNT = "^[0-9_.]+ *";
  private static final String DURATION = AMOUNT + "(ns|us|µs|ms|s|m|h|d)$";
  private static final String BYTES = AMOUNT + "([kKmMgGtT][iI]?)?[bB]?$";
  private static final String SHARE = AMOUNT + "%?$";

  /** A source may imply it. */
  private static final Setting IMPLIED =
      Setting.of(Config.class).stream()
          .filter(setting -> setting.type() == SchemaConfig.class)
          .findFirst()
          .orElseThrow();

  private final JsonMapper mapper = JsonMapper.shared();
  private final Docs docs;
  private final Set<Class<?>> known = new LinkedHashSet<>();
  private final Deque<Class<?>> open = new ArrayDeque<>();

  EditorSchema(Docs docs) {
    this.docs = docs;
  }

  String write() {
    ObjectNode root = mapper.createObjectNode();
    root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.put("title", "Penstock configuration");
    root.put("$comment", "Made from the records in config/src/main/java by EditorSchemaTest");
    known.add(Config.class);
    root.setAll(record(Config.class));
    ObjectNode definitions = root.putObject("$defs");
    while (!open.isEmpty()) {
      Class<?> type = open.removeFirst();
      definitions.set(name(type), type.isSealed() ? choice(type) : shortOrWhole(type));
    }
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));
    return mapper.writer().with(printer).writeValueAsString(root) + "\n";
  }

  /** A record, or the one component of it that may stand for it. */
  private ObjectNode shortOrWhole(Class<?> type) {
    Setting alone = Setting.alone(Setting.written(type));
    return alone == null ? record(type) : anyOf(value(alone, alone.type()), record(type));
  }

  private ObjectNode record(Class<?> type) {
    Class<?> written = Setting.written(type);
    ObjectNode object = mapper.createObjectNode();
    object.put("description", docs.summary(written));
    object.put("type", "object");
    object.put("additionalProperties", false);
    ObjectNode properties = object.putObject("properties");
    ArrayNode required = mapper.createArrayNode();
    for (Setting setting : Setting.of(written)) {
      properties.set(setting.name(), property(written, setting));
      if (isRequired(setting)) {
        required.add(setting.name());
      }
    }
    if (!required.isEmpty()) {
      object.set("required", required);
    }
    return object;
  }

  private static boolean isRequired(Setting setting) {
    return setting.byDefault().isEmpty() && !setting.optional() && !setting.equals(IMPLIED);
  }

  private ObjectNode property(Class<?> record, Setting setting) {
    ObjectNode value = value(setting, setting.type());
    boolean none = setting.optional() || !setting.none().isEmpty();
    ObjectNode property = mapper.createObjectNode();
    String rule = setting.range() == null ? "" : " (" + setting.rule() + ")";
    property.put("description", docs.of(record, setting) + rule);
    property.setAll(none ? anyOf(value, mapper.createObjectNode().put("const", "none")) : value);
    if (!setting.byDefault().isEmpty()) {
      property.set("default", byDefault(setting));
    }
    return property;
  }

  private JsonNode byDefault(Setting setting) {
    return mapper.valueToTree(
        new Load(LoadSettings.builder().build()).loadFromString(setting.byDefault()));
  }

  // Values

  private ObjectNode value(Setting setting, Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      if (generic.getRawType() == List.class) {
        ObjectNode list = mapper.createObjectNode().put("type", "array");
        list.set("items", value(setting, of[0]));
        return anyOf(list, value(setting, of[0])); // a single value is a list of one
      }
      ObjectNode map = mapper.createObjectNode().put("type", "object");
      map.set("additionalProperties", value(setting, of[1]));
      return map;
    }
    Class<?> plain = (Class<?>) type;
    if (plain.isEnum()) {
      ObjectNode constants = mapper.createObjectNode();
      constants.set("enum", mapper.valueToTree(Setting.constants(plain)));
      return constants;
    }
    return plain.isSealed() || plain.isRecord() ? reference(plain) : scalar(setting, plain);
  }

  private ObjectNode reference(Class<?> type) {
    if (known.add(type)) {
      open.addLast(type);
    }
    return mapper.createObjectNode().put("$ref", "#/$defs/" + name(type));
  }

  private static String name(Class<?> type) {
    Class<?> enclosing = type.getEnclosingClass();
    return enclosing == null ? type.getSimpleName() : name(enclosing) + "." + type.getSimpleName();
  }

  /** A map whose one key names the case; a case that needs no settings is its name alone. */
  private ObjectNode choice(Class<?> type) {
    ObjectNode choice = mapper.createObjectNode();
    choice.put("description", docs.summary(type));
    ArrayNode cases = choice.putArray("oneOf");
    ArrayNode names = mapper.createArrayNode();
    Setting.cases(type)
        .forEach(
            (name, of) -> {
              boolean bare =
                  Setting.of(Setting.written(of)).stream().noneMatch(EditorSchema::isRequired);
              ObjectNode one = cases.addObject().put("type", "object");
              ObjectNode settings =
                  bare
                      ? anyOf(reference(of), mapper.createObjectNode().put("type", "null"))
                      : reference(of);
              one.putObject("properties").set(name, settings);
              one.putArray("required").add(name);
              one.put("additionalProperties", false);
              if (bare) {
                names.add(name);
              }
            });
    if (!names.isEmpty()) {
      cases.addObject().set("enum", names);
    }
    return choice;
  }

  private ObjectNode scalar(Setting setting, Class<?> type) {
    ObjectNode value = mapper.createObjectNode();
    if (type == String.class) {
      value.putArray("type").add("string").add("number").add("boolean");
      return value;
    }
    if (type == boolean.class) {
      return value.put("type", "boolean");
    }
    if (type == Duration.class) {
      return value.put("type", "string").put("pattern", DURATION);
    }
    boolean whole = type != double.class && type != Double.class;
    ObjectNode number = bounded(value.put("type", whole ? "integer" : "number"), setting.range());
    String text =
        switch (setting.unit()) {
          case PLAIN -> "^" + GROUPED + "$";
          case BYTES -> BYTES;
          case SHARE -> SHARE;
        };
    return anyOf(number, mapper.createObjectNode().put("type", "string").put("pattern", text));
  }

  private ObjectNode bounded(ObjectNode number, @Nullable Range range) {
    if (range != null) {
      number.put(range.lowExcluded() ? "exclusiveMinimum" : "minimum", range.min());
      if (Double.isFinite(range.max())) {
        number.put(range.highExcluded() ? "exclusiveMaximum" : "maximum", range.max());
      }
    }
    return number;
  }

  private ObjectNode anyOf(ObjectNode... alternatives) {
    ObjectNode any = mapper.createObjectNode();
    ArrayNode all = any.putArray("anyOf");
    for (ObjectNode alternative : alternatives) {
      JsonNode nested = alternative.get("anyOf");
      if (nested != null && alternative.size() == 1) {
        nested.forEach(all::add);
      } else {
        all.add(alternative);
      }
    }
    return any;
  }
}
