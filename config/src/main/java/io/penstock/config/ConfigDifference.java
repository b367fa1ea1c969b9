package io.penstock.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key whose value differs between the configuration of a saved run and the one that is to go on with it.
 *
 * @param key its path
 * @param saved its value in the saved run; null: it is not there
 * @param now its value now; null: it is not there
 * @param sound whether the run may go on all the same
 */
public record ConfigDifference(
    String key, @Nullable String saved, @Nullable String now, boolean sound) {

  /** All differences, in the order of the keys. */
  public static List<ConfigDifference> between(Config saved, Config now) {
    List<ConfigDifference> differences = new ArrayList<>();
    compare(ConfigWriter.tree(saved), ConfigWriter.tree(now), Config.class, "", false, differences);
    return List.copyOf(differences);
  }

  private static void compare(
      @Nullable Object saved,
      @Nullable Object now,
      @Nullable Type type,
      String path,
      boolean sound,
      List<ConfigDifference> differences) {
    if (saved instanceof Map<?, ?> before && now instanceof Map<?, ?> after) {
      Set<Object> keys = new LinkedHashSet<>(before.keySet());
      keys.addAll(after.keySet());
      boolean otherCase = isSealed(type) && keys.size() > 1;
      if (otherCase) {
        differences.add(new ConfigDifference(path, caseOf(before), caseOf(after), sound));
        return;
      }
      for (Object key : keys) {
        String name = key.toString();
        compare(
            before.get(key),
            after.get(key),
            Setting.child(type, name),
            path.isEmpty() ? name : path + "." + name,
            sound || mayChange(type, name),
            differences);
      }
    } else if (saved instanceof List<?> before
        && now instanceof List<?> after
        && before.size() == after.size()) {
      Type item = type instanceof ParameterizedType of ? of.getActualTypeArguments()[0] : null;
      for (int i = 0; i < before.size(); i++) {
        compare(before.get(i), after.get(i), item, path + "[" + i + "]", sound, differences);
      }
    } else if (saved == null ? now != null : !saved.equals(now)) {
      differences.add(new ConfigDifference(path, text(saved), text(now), sound));
    }
  }

  private static String caseOf(Map<?, ?> choice) {
    return choice.keySet().iterator().next().toString();
  }

  private static boolean isSealed(@Nullable Type type) {
    return type instanceof Class<?> plain && plain.isSealed();
  }

  private static boolean mayChange(@Nullable Type type, String key) {
    return type instanceof Class<?> plain
        && Setting.written(plain).isRecord()
        && Setting.of(Setting.written(plain)).stream()
            .anyMatch(setting -> setting.name().equals(key) && setting.mayChange());
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }

  @Override
  public String toString() {
    return "%s: %s, was %s"
        .formatted(key, now == null ? "none" : now, saved == null ? "none" : saved);
  }
}
