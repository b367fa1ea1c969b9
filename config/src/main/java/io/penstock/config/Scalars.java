package io.penstock.config;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads numbers, durations, sizes and shares as people write them. Null means: this is none. */
final class Scalars {
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(_\\d+)*)?(\\.\\d+(_\\d+)*)?([eE][+-]?\\d{1,4})?");
  private static final Pattern WITH_UNIT = Pattern.compile("([\\d_.]+)\\s*([a-zA-Zµ%]*)");
  private static final Map<String, Long> NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "h", 3_600_000_000_000L,
          "d", 86_400_000_000_000L);
  private static final Map<String, Long> BYTES =
      Map.of(
          "", 1L,
          "b", 1L,
          "kb", 1_000L,
          "mb", 1_000_000L,
          "gb", 1_000_000_000L,
          "tb", 1_000_000_000_000L,
          "kib", 1L << 10,
          "mib", 1L << 20,
          "gib", 1L << 30,
          "tib", 1L << 40);

  private Scalars() {}

  static @Nullable Duration duration(String text) {
    Matcher m = WITH_UNIT.matcher(text);
    if (!m.matches()) {
      return null;
    }
    Long nanos = NANOS.get(m.group(2));
    BigDecimal count = decimal(m.group(1));
    if (nanos == null || count == null) {
      return null;
    }
    try {
      return Duration.ofNanos(count.multiply(BigDecimal.valueOf(nanos)).longValueExact());
    } catch (ArithmeticException | DateTimeException e) {
      return null;
    }
  }

  /** A number of the type {@code int}, {@code long} or {@code double}, to the last digit if it is whole. */
  static @Nullable Number number(Class<?> type, Key.Unit unit, String text) {
    BigDecimal value =
        switch (unit) {
          case PLAIN -> decimal(text);
          case BYTES -> bytes(text);
          case SHARE -> share(text);
        };
    return value == null ? null : exactly(type, value);
  }

  private static @Nullable Number exactly(Class<?> type, BigDecimal value) {
    try {
      if (type == int.class || type == Integer.class) {
        return value.intValueExact();
      }
      if (type == long.class) {
        return value.longValueExact();
      }
    } catch (ArithmeticException e) {
      return null;
    }
    double number = value.doubleValue();
    return Double.isFinite(number) ? number : null;
  }

  private static @Nullable BigDecimal bytes(String text) {
    Matcher m = WITH_UNIT.matcher(text);
    if (!m.matches()) {
      return null;
    }
    Long factor = BYTES.get(m.group(2).toLowerCase(Locale.ROOT));
    BigDecimal count = decimal(m.group(1));
    return factor == null || count == null ? null : count.multiply(BigDecimal.valueOf(factor));
  }

  private static @Nullable BigDecimal share(String text) {
    if (!text.endsWith("%")) {
      return decimal(text);
    }
    BigDecimal percent = decimal(text.substring(0, text.length() - 1).stripTrailing());
    return percent == null ? null : percent.movePointLeft(2);
  }

  private static @Nullable BigDecimal decimal(String text) {
    if (!NUMBER.matcher(text).matches() || text.chars().noneMatch(Character::isDigit)) {
      return null;
    }
    try {
      return new BigDecimal(text.replace("_", ""));
    } catch (NumberFormatException e) { // ".e5" and the like
      return null;
    }
  }
}
