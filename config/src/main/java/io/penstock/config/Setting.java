package io.penstock.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A key as a record component declares it, and the words for what it takes. The one model of the configuration's form: the
 * reader, the constructors' checks and the page of settings are made from it.
 *
 * @param byDefault YAML; empty: none
 * @param none what the word {@code none} stands for, in YAML; empty: nothing
 * @param optional whether it may be absent without a default
 * @param mayChange whether a saved run may go on though it has changed
 */
record Setting(
    String name,
    Type type,
    String byDefault,
    String none,
    @Nullable Range range,
    Key.Unit unit,
    boolean optional,
    boolean mayChange) {

  /** Every record is made by its settings, so that reading them anew would cost a run's start a second. */
  private static final ClassValue<List<Setting>> SETTINGS =
      new ClassValue<>() {
        @Override
        protected List<Setting> computeValue(Class<?> record) {
          return Arrays.stream(record.getRecordComponents()).map(Setting::of).toList();
        }
      };

  static List<Setting> of(Class<?> record) {
    return SETTINGS.get(record);
  }

  private static Setting of(RecordComponent component) {
    Key key = component.getAnnotation(Key.class);
    boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    Type type = component.getGenericType();
    return key == null
        ? new Setting(component.getName(), type, "", "", null, Key.Unit.PLAIN, optional, false)
        : new Setting(
            component.getName(),
            type,
            key.byDefault(),
            key.none(),
            key.range().isEmpty() ? null : Range.parse(key.range(), key.unit()),
            key.unit(),
            optional,
            key.mayChange());
  }

  /**
   * Checks a record's components against their ranges; for its constructor.
   *
   * @param values all components in their order
   */
  static void check(Class<? extends Record> record, Object... values) {
    List<Setting> settings = of(record);
    for (int i = 0; i < values.length; i++) {
      Setting setting = settings.get(i);
      if (!setting.allows(values[i])) {
        throw new InvalidSetting(setting.name, "must be " + setting.rule() + ", not " + values[i]);
      }
    }
  }

  /** Whether the range, if there is one, holds the value or all values of the list. */
  boolean allows(Object value) {
    return switch (value) {
      case List<?> list -> list.stream().allMatch(this::allows);
      case Map<?, ?> map -> map.values().stream().allMatch(this::allows);
      case Number n when range == null -> Double.isFinite(n.doubleValue());
      default -> range == null || range.contains(value);
    };
  }

  /** What a value that has the right type must be. */
  String rule() {
    return range == null ? "finite" : range.rule();
  }

  /** The record that YAML is bound to for this type: itself, unless it is written in another form. */
  static Class<?> written(Class<?> type) {
    WrittenAs form = type.getAnnotation(WrittenAs.class);
    return form == null ? type : form.value();
  }

  /** The cases of a sealed interface by their names in YAML, in the order of their declaration. */
  static Map<String, Class<?>> cases(Class<?> sealed) {
    Map<String, Class<?>> cases = new LinkedHashMap<>();
    for (Class<?> type : sealed.getPermittedSubclasses()) {
      cases.put(lowerFirst(type.getSimpleName()), type);
    }
    return cases;
  }

  static String lowerFirst(String name) {
    return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
  }

  /** The type of the value at a key; null: there is no such key. */
  static @Nullable Type child(@Nullable Type type, String key) {
    if (type instanceof ParameterizedType map) {
      return map.getActualTypeArguments()[1];
    }
    if (!(type instanceof Class<?> plain)) {
      return null;
    }
    if (plain.isSealed()) {
      return cases(plain).get(key);
    }
    if (!Setting.written(plain).isRecord()) {
      return null;
    }
    return of(written(plain)).stream()
        .filter(setting -> setting.name().equals(key))
        .map(Setting::type)
        .findFirst()
        .orElse(null);
  }

  static List<String> constants(Class<?> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(c -> c.toString().toLowerCase(Locale.ROOT))
        .toList();
  }

  /** The words that may stand for a value of a type that is a choice. */
  static Collection<String> words(Class<?> type) {
    return type.isEnum() ? constants(type) : type.isSealed() ? cases(type).keySet() : List.of();
  }

  static List<String> planned(Class<?> type) {
    Planned planned = type.getAnnotation(Planned.class);
    return planned == null ? List.of() : List.of(planned.value());
  }

  /** What may stand here, in words that follow "must be". */
  String expected() {
    return expected(type) + (range == null ? "" : ", " + range.rule());
  }

  String expected(Type of) {
    if (of instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      return generic.getRawType() == List.class
          ? "a list, each item " + expected(arguments[0])
          : "a map of names, each with " + expected(arguments[1]);
    }
    Class<?> type = (Class<?>) of;
    if (type.isEnum()) {
      return "one of " + String.join(", ", constants(type));
    }
    if (type.isSealed()) {
      return "one of " + String.join(", ", cases(type).keySet());
    }
    if (type.isRecord()) {
      return "a map with "
          + of(written(type)).stream().map(Setting::name).collect(Collectors.joining(", "));
    }
    return expectedScalar(type);
  }

  private String expectedScalar(Class<?> type) {
    if (unit == Key.Unit.BYTES) {
      return "a size like 65536, 64KB or 64MiB";
    }
    if (unit == Key.Unit.SHARE) {
      return "a share like 0.01 or 1%";
    }
    if (type == boolean.class) {
      return "true or false";
    }
    if (type == Duration.class) {
      return "a duration like 20ms, 30s or 5m";
    }
    if (type == double.class) {
      return "a number";
    }
    return type == String.class ? "text" : "an integer";
  }
}
