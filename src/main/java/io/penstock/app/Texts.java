package io.penstock.app;

import java.util.Locale;

/** Numbers as a person reads them. */
final class Texts {
  private static final String SPARKS = "▁▂▃▄▅▆▇█";

  private Texts() {}

  /** 1,234,567. */
  static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** {@code 1 row}, {@code 2,000 rows}. */
  static String count(long value, String one) {
    return count(value) + " " + one + (value == 1 ? "" : one.endsWith("h") ? "es" : "s");
  }

  /** Three digits and a unit: 950, 12.3 k, 1.23 M. */
  static String rate(double value) {
    if (value < 1000) {
      return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%.0f", value);
    }
    return value < 1e6 ? digits(value / 1e3) + " k" : digits(value / 1e6) + " M";
  }

  /** 512 B, 1.5 KiB, 12.0 MiB. */
  static String bytes(long value) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    double scaled = value;
    while (scaled >= 1024 && unit < units.length - 1) {
      scaled /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
  }

  /** 0.8412, or a dash where there is no number. */
  static String metric(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.4f", value);
  }

  static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f%%", share * 100);
  }

  /** A share as precise as its size asks for: 12%, 0.4%, 0.004%. */
  static String finePercent(double share) {
    return share != 0 && Math.abs(share) < 0.095
        ? String.format(Locale.ROOT, "%.1g%%", share * 100)
        : percent(share);
  }

  static String millis(double value) {
    return value < 10
        ? String.format(Locale.ROOT, "%.1f ms", value)
        : value < 10_000
            ? String.format(Locale.ROOT, "%.0f ms", value)
            : String.format(Locale.ROOT, "%.1f s", value / 1000);
  }

  static String seconds(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.1f s" : "%.0f s", value);
  }

  /** One bar a value, from the least to the greatest. */
  static String sparkline(double[] values, int count) {
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      least = Math.min(least, values[i]);
      most = Math.max(most, values[i]);
    }
    StringBuilder bars = new StringBuilder();
    for (int i = 0; i < count; i++) {
      double height = most > least ? (values[i] - least) / (most - least) : 1;
      bars.append(SPARKS.charAt((int) Math.round(height * (SPARKS.length() - 1))));
    }
    return bars.toString();
  }

  private static String digits(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }
}
