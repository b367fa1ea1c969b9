package io.penstock.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An interval of numbers, durations (as seconds) or sizes, with its ends as they were written. */
record Range(
    String low, String high, boolean lowExcluded, boolean highExcluded, double min, double max) {
  private static final Pattern INTERVAL =
      Pattern.compile("([\\[(])\\s*(\\S+)\\s*,\\s*(\\S+)\\s*([])])");
  private static final String UNBOUNDED = "inf";

  static Range parse(String text, Key.Unit unit) {
    Matcher m = INTERVAL.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException("not an interval: " + text);
    }
    return new Range(
        m.group(2),
        m.group(3),
        m.group(1).equals("("),
        m.group(4).equals(")"),
        end(m.group(2), unit),
        end(m.group(3), unit));
  }

  private static double end(String text, Key.Unit unit) {
    if (text.equals(UNBOUNDED)) {
      return Double.POSITIVE_INFINITY;
    }
    Object value = Scalars.duration(text);
    if (value == null) {
      value = Scalars.number(double.class, unit, text);
    }
    if (value == null) {
      throw new IllegalArgumentException("not an end of an interval: " + text);
    }
    return measure(value);
  }

  /** Whether a number or a duration lies within. NaN and the infinities never do. */
  boolean contains(Object value) {
    double v = measure(value);
    return (lowExcluded ? v > min : v >= min)
        && (highExcluded ? v < max : v <= max)
        && Double.isFinite(v);
  }

  private static double measure(Object value) {
    return switch (value) {
      case Duration d -> d.getSeconds() + d.getNano() * 1e-9;
      case Number n -> n.doubleValue();
      default -> throw new IllegalArgumentException("neither number nor duration: " + value);
    };
  }

  /** The rule in words, to follow "must be". */
  String rule() {
    String above = (lowExcluded ? "above " : "at least ") + low;
    if (high.equals(UNBOUNDED)) {
      return above;
    }
    if (!lowExcluded && !highExcluded) {
      return low + " to " + high;
    }
    return above + " and " + (highExcluded ? "below " : "at most ") + high;
  }
}
