package io.penstock.ingest.codec;

import ch.randelshofer.fastdoubleparser.JavaFloatParser;

/**
 * Decimal text to the nearest float, ties to even. One rounding wherever that can be had; else a double, which is enough
 * unless it lies between two floats, exactly or within its own error (Clinger, 1990); else the library.
 */
public final class Decimals {
  /** Digits of any number that fits a long. */
  static final int MAX_DIGITS = 18;

  private static final long MAX_EXACT_FLOAT = 1L << 24;
  private static final long MAX_EXACT_DOUBLE = 1L << 53;

  /** Powers of ten that are floats. */
  private static final float[] FLOAT_POWERS = {
    1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f
  };

  /** Powers of ten that are doubles. */
  private static final double[] DOUBLE_POWERS = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22
  };

  private static final long BELOW_FLOAT = (1L << 29) - 1; // bits of a double that a float lacks
  private static final long HALF_WAY = 1L << 28;
  private static final long TWO_ROUNDINGS = 2;

  private Decimals() {}

  /** The float nearest to the number in {@code text}; NaN where it is none, or beyond the largest float. */
  public static float parse(byte[] text, int from, int to) {
    int p = from;
    boolean negative = p < to && text[p] == '-';
    if (negative || (p < to && text[p] == '+')) {
      p++;
    }
    long mantissa = 0;
    int digits = 0; // significant ones
    int exponent = 0;
    int start = p;
    int point = -1;
    for (; p < to; p++) {
      int digit = text[p] - '0';
      if (digit >= 0 && digit <= 9) {
        digits += mantissa != 0 || digit != 0 ? 1 : 0;
        mantissa = digits <= MAX_DIGITS ? mantissa * 10 + digit : mantissa;
      } else if (text[p] == '.' && point < 0) {
        point = p;
      } else {
        break;
      }
    }
    if (p - start == (point < 0 ? 0 : 1)) {
      return Float.NaN; // not a digit
    }
    if (point >= 0) {
      exponent = point + 1 - p;
    }
    if (p < to) {
      int written = exponent(text, p, to);
      if (written == Integer.MIN_VALUE) {
        return Float.NaN;
      }
      exponent += written;
    }
    float magnitude =
        digits <= MAX_DIGITS
            ? nearest(mantissa, exponent, text, start, to)
            : library(text, start, to);
    return negative ? -magnitude : magnitude;
  }

  /** The exponent behind its letter; {@code Integer.MIN_VALUE} where it is not well-formed. */
  private static int exponent(byte[] text, int from, int to) {
    int p = from;
    if (text[p] != 'e' && text[p] != 'E') {
      return Integer.MIN_VALUE;
    }
    p++;
    boolean negative = p < to && text[p] == '-';
    if (negative || (p < to && text[p] == '+')) {
      p++;
    }
    if (p == to) {
      return Integer.MIN_VALUE;
    }
    int value = 0;
    for (; p < to; p++) {
      int digit = text[p] - '0';
      if (digit < 0 || digit > 9) {
        return Integer.MIN_VALUE;
      }
      value = Math.min(value * 10 + digit, 99_999_999); // far beyond any float already
    }
    return negative ? -value : value;
  }

  /**
   * The float nearest to {@code mantissa} times ten to the power of {@code exponent}; NaN beyond the largest float.
   *
   * @param mantissa 0 or more
   * @param text where the number is written, without its sign
   */
  static float nearest(long mantissa, int exponent, byte[] text, int from, int to) {
    if (mantissa == 0) {
      return 0;
    }
    int power = Math.abs(exponent);
    if (mantissa <= MAX_EXACT_FLOAT && power < FLOAT_POWERS.length) {
      return exponent < 0 ? mantissa / FLOAT_POWERS[power] : mantissa * FLOAT_POWERS[power];
    }
    if (power < DOUBLE_POWERS.length) {
      double value =
          exponent < 0 ? mantissa / DOUBLE_POWERS[power] : mantissa * DOUBLE_POWERS[power];
      long aboveHalf = (Double.doubleToRawLongBits(value) & BELOW_FLOAT) - HALF_WAY;
      // A mantissa that is no double is rounded itself: together at most a little more than one
      // unit of the last place.
      boolean halfWay =
          mantissa <= MAX_EXACT_DOUBLE ? aboveHalf == 0 : Math.abs(aboveHalf) <= TWO_ROUNDINGS;
      if (!halfWay && value >= Float.MIN_NORMAL) {
        return finite((float) value);
      }
    }
    return library(text, from, to);
  }

  private static float library(byte[] text, int from, int to) {
    return finite(JavaFloatParser.parseFloat(text, from, to - from));
  }

  private static float finite(float value) {
    return value <= Float.MAX_VALUE ? value : Float.NaN;
  }
}
