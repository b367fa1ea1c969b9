package io.penstock.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * Makes the page of all settings: keys, types, defaults and rules from the records, the words from their Javadoc, so that both
 * are said once.
 */
final class ReferencePage {
  private static final String INTRODUCTION =
      """
      # Configuration

      <!-- Made from the records in config/src/main/java and their Javadoc by ReferencePageTest. To make it anew:
           ./mvnw -pl config test -Dtest=ReferencePageTest -Dpenstock.docs.write=true -->

      A configuration is a YAML 1.2 file. `--set a.b=c` sets any key over it, `c` being YAML; items of lists go by their index
      (`--set features.0.clip.max=3`), and setting another case of a choice forgets the settings of the old one. Where a choice
      needs no settings, its name is enough: `optimizer: adam`. A single value may stand for a list of one.

      Integers and numbers may have `_` between digits. Durations carry units (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`), sizes may
      (`KB`, `MB`, `GB` are powers of 1000, `KiB`, `MiB`, `GiB` powers of 1024), shares are numbers or percents.

      All that is wrong with a file is said at once, each with file, line and column. What the design names and this version
      does not have is an error too. Fields that steps select are checked against the schema; what a pattern of the schema
      stands for is known, and checked, only when a header has come. Steps act in their order. A category is made features of by
      `oneHot`, `hash` or `dictionary`.
      """;

  private final Docs docs;
  private final Map<Class<?>, String> sections = new LinkedHashMap<>();
  private final Deque<Class<?>> open = new ArrayDeque<>();
  private final Deque<Class<?>> found = new ArrayDeque<>();
  private final StringBuilder page = new StringBuilder(INTRODUCTION);

  ReferencePage(Path sources) {
    docs = new Docs(sources);
  }

  String write() {
    section(Config.class, "The file");
    while (!found.isEmpty() || !open.isEmpty()) {
      found
          .descendingIterator()
          .forEachRemaining(open::addFirst); // parts come right after their whole
      found.clear();
      Class<?> type = open.removeFirst();
      String title = Objects.requireNonNull(sections.get(type));
      heading("## ", title, type);
      if (type.isSealed()) {
        Setting.cases(type).forEach((name, of) -> sections.put(of, title + "." + name));
        Setting.cases(type).values().forEach(this::choice);
      } else {
        table(type, type == Config.class ? "" : title);
      }
    }
    return page.toString();
  }

  private void choice(Class<?> type) {
    String title = Objects.requireNonNull(sections.get(type));
    heading("### ", title, type);
    table(type, title);
  }

  private void heading(String level, String title, Class<?> type) {
    page.append('\n').append(level).append(title).append("\n\n").append(cell(docs.summary(type)));
    List<String> planned = Setting.planned(type);
    if (!planned.isEmpty()) {
      page.append(" Not built yet: `").append(String.join("`, `", planned)).append("`.");
    }
    page.append('\n');
  }

  private void section(Class<?> type, String title) {
    if (sections.putIfAbsent(type, title) == null) {
      found.addLast(type);
    }
  }

  private void table(Class<?> type, String path) {
    Class<?> written = Setting.written(type);
    if (written.getRecordComponents().length == 0) {
      return;
    }
    page.append("\n| key | takes | default | |\n|---|---|---|---|\n");
    for (Setting setting : Setting.of(written)) {
      String key = path.isEmpty() ? setting.name() : path + "." + setting.name();
      String doc = cell(docs.of(written, setting));
      page.append(
          "| `%s` | %s | %s | %s |\n"
              .formatted(setting.name(), takes(setting, key), byDefault(setting), doc));
    }
  }

  private static String byDefault(Setting setting) {
    if (!setting.byDefault().isEmpty()) {
      return "`" + setting.byDefault() + "`";
    }
    return setting.optional() ? "none" : "required";
  }

  private String takes(Setting setting, String path) {
    Range range = setting.range();
    String none = setting.none().isEmpty() ? "" : ", or `none`";
    return type(setting, setting.type(), path) + (range == null ? "" : ", " + range.rule()) + none;
  }

  private String type(Setting setting, Type type, String path) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      return generic.getRawType() == List.class
          ? "list of " + type(setting, of[0], path)
          : "map of names to " + type(setting, of[1], path);
    }
    Class<?> plain = (Class<?>) type;
    if (plain.isEnum()) {
      return String.join(", ", Setting.constants(plain).stream().map(c -> "`" + c + "`").toList());
    }
    if (plain.isSealed() || plain.isRecord()) {
      section(plain, path);
      String title = Objects.requireNonNull(sections.get(plain));
      String anchor = title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]", "");
      return "[%s](#%s)".formatted(title, anchor);
    }
    return setting.expected(plain).replaceAll("^an? | like .*", "");
  }

  /** In a cell of a table. */
  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
