package io.penstock.app.sample;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Values as comments and messages show them. */
final class Words {
  private static final MathContext SHOWN_DIGITS = new MathContext(4);

  private Words() {}

  static String share(long part, long whole) {
    double percent = 100.0 * part / whole;
    return percent < 1 ? "less than 1 %" : String.format(Locale.ROOT, "%.0f %%", percent);
  }

  static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : new BigDecimal(value).round(SHOWN_DIGITS).stripTrailingZeros().toString();
  }

  static String quoted(String text) {
    String shown = text.length() > 40 ? text.substring(0, 40) + "…" : text;
    return shown.replaceAll("\\p{Cntrl}", " ");
  }
}
