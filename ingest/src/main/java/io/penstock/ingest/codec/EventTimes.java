package io.penstock.ingest.codec;

/**
 * Times to nanoseconds since 1970: ISO 8601 ({@code 2024-05-06T07:08:09.123Z}; a space for the T, an offset, no seconds, no
 * time of day and no zone, which means UTC, are taken too), or a number of seconds, which beyond 10^11 are milliseconds.
 */
public final class EventTimes {
  /** Stands for what is not a time. */
  public static final long INVALID = Long.MIN_VALUE;

  private static final long SECOND_NANOS = 1_000_000_000;
  private static final long MILLI_NANOS = 1_000_000;
  private static final long MAX_SECONDS = 100_000_000_000L;
  private static final long MAX_ISO_SECONDS = 9_223_372_035L; // 2262
  private static final int MAX_WHOLE_DIGITS = 15;
  private static final int NANO_DIGITS = 9;
  private static final int DATE_LENGTH = 10;
  private static final int[] MONTH_DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  private EventTimes() {}

  /** The time in {@code text}, or {@link #INVALID}. */
  public static long parse(byte[] text, int from, int to) {
    boolean date =
        to - from >= DATE_LENGTH && text[from + 4] == '-' && digits(text, from, from + 4) >= 0;
    return date ? iso(text, from, to) : number(text, from, to);
  }

  private static long number(byte[] text, int from, int to) {
    boolean negative = from < to && text[from] == '-';
    int start = negative ? from + 1 : from;
    int point = start;
    while (point < to && text[point] != '.') {
      point++;
    }
    long whole = point - start > MAX_WHOLE_DIGITS ? -1 : digits(text, start, point);
    long nanos = point == to ? 0 : fraction(text, point + 1, to);
    if (whole < 0 || nanos < 0) {
      return INVALID;
    }
    boolean millis = whole > MAX_SECONDS || (whole == MAX_SECONDS && nanos > 0);
    long unit = millis ? MILLI_NANOS : SECOND_NANOS;
    if (whole > (Long.MAX_VALUE - SECOND_NANOS) / unit) {
      return INVALID;
    }
    long time = whole * unit + (millis ? nanos / 1000 : nanos);
    return negative ? -time : time;
  }

  private static long iso(byte[] text, int from, int to) {
    long year = digits(text, from, from + 4);
    long month = digits(text, from + 5, from + 7);
    long day = digits(text, from + 8, from + 10);
    if (text[from + 7] != '-' || month < 1 || month > 12 || day < 1 || day > days(year, month)) {
      return INVALID;
    }
    long seconds = epochDay(year, month, day) * 86400;
    int p = from + DATE_LENGTH;
    if (p == to) {
      return nanos(seconds, 0);
    }
    if (to - p < 6 || (text[p] != 'T' && text[p] != 't' && text[p] != ' ') || text[p + 3] != ':') {
      return INVALID;
    }
    long hour = digits(text, p + 1, p + 3);
    long minute = digits(text, p + 4, p + 6);
    p += 6;
    long second = 0;
    long fraction = 0;
    if (p < to && text[p] == ':') {
      second = to - p < 3 ? -1 : digits(text, p + 1, p + 3);
      p += 3;
      if (p < to && (text[p] == '.' || text[p] == ',')) {
        int start = p + 1;
        p = start;
        while (p < to && text[p] >= '0' && text[p] <= '9') {
          p++;
        }
        fraction = fraction(text, start, p);
      }
    }
    long offset = offsetSeconds(text, p, to);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
      return INVALID;
    }
    if (fraction < 0 || offset == INVALID) {
      return INVALID;
    }
    return nanos(seconds + hour * 3600 + minute * 60 + second - offset, fraction);
  }

  private static long nanos(long seconds, long fraction) {
    return Math.abs(seconds) > MAX_ISO_SECONDS ? INVALID : seconds * SECOND_NANOS + fraction;
  }

  private static long offsetSeconds(byte[] text, int from, int to) {
    int length = to - from;
    if (length <= 0 || (length == 1 && (text[from] == 'Z' || text[from] == 'z'))) {
      return length < 0 ? INVALID : 0;
    }
    boolean colon = length == 6 && text[from + 3] == ':';
    if ((text[from] != '+' && text[from] != '-') || !(length == 3 || length == 5 || colon)) {
      return INVALID;
    }
    long hours = digits(text, from + 1, from + 3);
    long minutes = length == 3 ? 0 : digits(text, to - 2, to);
    if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) {
      return INVALID;
    }
    long seconds = hours * 3600 + minutes * 60;
    return text[from] == '-' ? -seconds : seconds;
  }

  /** Digits behind the point, as nanoseconds of a second; further ones are cut. -1 where there is none or another character. */
  private static long fraction(byte[] text, int from, int to) {
    int kept = Math.min(to, from + NANO_DIGITS);
    long value = digits(text, from, kept);
    for (int missing = NANO_DIGITS - (kept - from); missing > 0 && value > 0; missing--) {
      value *= 10;
    }
    for (int p = kept; p < to; p++) {
      if (text[p] < '0' || text[p] > '9') {
        return -1;
      }
    }
    return value;
  }

  /** At least one digit and nothing else; -1 otherwise. */
  private static long digits(byte[] text, int from, int to) {
    long value = from < to ? 0 : -1;
    for (int p = from; p < to; p++) {
      int digit = text[p] - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      value = value * 10 + digit;
    }
    return value;
  }

  private static int days(long year, long month) {
    boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : MONTH_DAYS[(int) month - 1];
  }

  /** Days since 1970 of a date of the Gregorian calendar, years counted from March (Hinnant, days_from_civil). */
  private static long epochDay(long year, long month, long day) {
    long y = month <= 2 ? year - 1 : year;
    long era = Math.floorDiv(y, 400);
    long yearOfEra = y - era * 400;
    long dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
  }
}
