package io.penstock.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the Javadoc of the configuration's records says, for pages and editors. */
final class Docs {
  private static final Pattern TAG = Pattern.compile("(?m)^@");
  private static final Pattern PARAMETER = Pattern.compile("param (\\w+) (.*)", Pattern.DOTALL);

  private final Path sources;

  /** The Javadoc in the sources below a folder. */
  Docs(Path sources) {
    this.sources = sources;
  }

  /** What a type is. */
  String summary(Class<?> type) {
    return text(TAG.splitAsStream(javadoc(type)).findFirst().orElseThrow());
  }

  /** What a key of a record is for. */
  String of(Class<?> record, Setting setting) {
    return TAG.splitAsStream(javadoc(record))
        .map(PARAMETER::matcher)
        .filter(m -> m.matches() && m.group(1).equals(setting.name()))
        .map(m -> text(m.group(2)))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("no @param for " + setting.name() + " of " + record));
  }

  private String javadoc(Class<?> type) {
    Pattern declaration =
        Pattern.compile(
            "/\\*\\*((?:(?!\\*/).)*)\\*/\\s*(?:@\\w+(?:\\([^)]*\\))?\\s*)*(?:public )?(?:sealed interface|record) "
                + type.getSimpleName()
                + "\\b",
            Pattern.DOTALL);
    Matcher m = declaration.matcher(source(type));
    if (!m.find()) {
      throw new IllegalStateException("no Javadoc of " + type);
    }
    return m.group(1).replaceAll("(?m)^\\s*\\* ?", "").strip();
  }

  private String source(Class<?> type) {
    Class<?> top = type;
    while (top.getEnclosingClass() != null) {
      top = top.getEnclosingClass();
    }
    try {
      return Files.readString(sources.resolve(top.getName().replace('.', '/') + ".java"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(String javadoc) {
    return javadoc.replaceAll("\\{@(?:code|link) ([^}]*)}", "`$1`").replaceAll("\\s+", " ").strip();
  }
}
