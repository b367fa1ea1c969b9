package io.penstock.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** Writes a configuration, defaults and overrides included, so that {@link ConfigReader} reads the same one again. */
public final class ConfigWriter {
  private static final long[] UNIT_NANOS = {
    86_400_000_000_000L, 3_600_000_000_000L, 60_000_000_000L, 1_000_000_000L, 1_000_000L, 1_000L, 1L
  };
  private static final String[] UNITS = {"d", "h", "m", "s", "ms", "us", "ns"};

  private ConfigWriter() {}

  /** The configuration in YAML. */
  public static String yaml(Config config) {
    return new Dump(DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).build())
        .dumpToString(tree(config));
  }

  /** Maps, lists, texts, numbers and truth values. */
  public static Map<?, ?> tree(Config config) {
    return (Map<?, ?>) tree(config, Config.class);
  }

  private static Object tree(Object value, Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      return value instanceof List<?> list
          ? list.stream()
              .map(item -> tree(item, of[0]))
              .collect(Collectors.toCollection(ArrayList::new)) // no two are one: YAML would say so
          : map((Map<?, ?>) value, of[1]);
    }
    if (type instanceof Class<?> plain && plain.isSealed()) {
      return Map.of(Setting.lowerFirst(value.getClass().getSimpleName()), record(value));
    }
    return switch (value) {
      case Record record -> shortest(record, record(record));
      case Duration duration -> text(duration);
      case Enum<?> constant -> constant.toString().toLowerCase(Locale.ROOT);
      default -> value;
    };
  }

  /** A value alone where it stands for the record. */
  private static Object shortest(Record record, Map<String, Object> tree) {
    Class<?> written = Setting.written(record.getClass());
    Setting alone = Setting.alone(written);
    Object value = alone == null ? null : tree.get(alone.name());
    boolean byDefault =
        Setting.of(written).stream()
            .filter(setting -> !setting.equals(alone))
            .allMatch(
                setting ->
                    !tree.containsKey(setting.name())
                        || setting.byDefault().equals(String.valueOf(tree.get(setting.name()))));
    return value != null && byDefault ? value : tree;
  }

  private static Map<String, Object> map(Map<?, ?> values, Type of) {
    Map<String, Object> tree = new LinkedHashMap<>();
    values.forEach((key, value) -> tree.put(key.toString(), tree(value, of)));
    return tree;
  }

  private static Map<String, Object> record(Object meaning) {
    Object value = meaning instanceof WrittenAs.Meaning m ? m.written() : meaning;
    Map<String, Object> tree = new LinkedHashMap<>();
    for (RecordComponent component : value.getClass().getRecordComponents()) {
      Object part = component(value, component);
      if (part != null) {
        tree.put(component.getName(), tree(part, component.getGenericType()));
      }
    }
    return tree;
  }

  private static Object component(Object record, RecordComponent component) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(record);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  private static String text(Duration duration) {
    long nanos = duration.toNanos();
    for (int i = 0; nanos > 0 && i < UNITS.length; i++) {
      if (nanos % UNIT_NANOS[i] == 0) {
        return nanos / UNIT_NANOS[i] + UNITS[i];
      }
    }
    return "0s";
  }
}
