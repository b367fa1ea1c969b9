package io.penstock.pipeline;

import io.penstock.config.FeatureConfig.TimePart;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Arrays;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What clocks and calendars of a zone show, by integers alone: nothing is allocated a row. A region's changes of offset are
 * taken from the JDK once, from 1900 to 2200; before and after, the nearest one goes on.
 */
final class ZoneClock {
  private static final long NANOS = 1_000_000_000;
  private static final long DAY_SECONDS = 86_400;
  private static final int ERA_DAYS = 146_097; // 400 years
  private static final Instant FIRST = Instant.parse("1900-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("2200-01-01T00:00:00Z");

  /** Seconds since 1970 from which each offset holds, the first for ever before. */
  private final long[] changes;

  private final long[] offsets;

  ZoneClock(ZoneId zone) {
    ZoneRules rules = zone.getRules();
    ZoneOffsetTransition[] transitions =
        Stream.iterate(
                rules.nextTransition(FIRST),
                next -> next != null && next.getInstant().isBefore(LAST),
                last -> rules.nextTransition(last.getInstant()))
            .toArray(ZoneOffsetTransition[]::new);
    changes = Arrays.stream(transitions).mapToLong(ZoneOffsetTransition::toEpochSecond).toArray();
    ZoneOffset first = rules.getOffset(FIRST);
    offsets =
        LongStream.concat(
                LongStream.of(first.getTotalSeconds()),
                Arrays.stream(transitions).mapToLong(t -> t.getOffsetAfter().getTotalSeconds()))
            .toArray();
  }

  /**
   * A part of a time.
   *
   * @param epochNanos since 1970
   */
  int part(TimePart part, long epochNanos) {
    long utc = Math.floorDiv(epochNanos, NANOS);
    long local = utc + offset(utc);
    int second = (int) Math.floorMod(local, DAY_SECONDS);
    long day = Math.floorDiv(local, DAY_SECONDS);
    return switch (part) {
      case SECOND_OF_MINUTE -> second % 60;
      case MINUTE_OF_HOUR -> second / 60 % 60;
      case MINUTE_OF_DAY -> second / 60;
      case HOUR_OF_DAY -> second / 3600;
      case DAY_OF_WEEK -> 1 + (int) Math.floorMod(day + 3, 7L); // 1970 began on a Thursday
      case DAY_OF_MONTH -> dayOfMonth(dayFromMarch(day));
      case MONTH_OF_YEAR -> month(dayFromMarch(day));
      case DAY_OF_YEAR -> dayOfYear(day);
    };
  }

  private long offset(long utc) {
    int at = Arrays.binarySearch(changes, utc);
    return offsets[at >= 0 ? at + 1 : -at - 1];
  }

  // Years from March on: the leap day is their last (Hinnant, "chrono-compatible low-level date
  // algorithms", 2014).

  private static int dayOfEra(long day) {
    return (int) Math.floorMod(day + 719_468, (long) ERA_DAYS); // from 1 March of the year 0
  }

  private static int yearOfEra(int dayOfEra) {
    return (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
  }

  /** 0, 1 March, to 365. */
  private static int dayFromMarch(long day) {
    int dayOfEra = dayOfEra(day);
    int year = yearOfEra(dayOfEra);
    return dayOfEra - (365 * year + year / 4 - year / 100);
  }

  /** 0, March, to 11. */
  private static int monthFromMarch(int dayFromMarch) {
    return (5 * dayFromMarch + 2) / 153;
  }

  private static int month(int dayFromMarch) {
    int month = monthFromMarch(dayFromMarch) + 3;
    return month > 12 ? month - 12 : month;
  }

  private static int dayOfMonth(int dayFromMarch) {
    return dayFromMarch - (153 * monthFromMarch(dayFromMarch) + 2) / 5 + 1;
  }

  private static int dayOfYear(long day) {
    int fromMarch = dayFromMarch(day);
    if (fromMarch >= 306) { // January, or February
      return fromMarch - 305;
    }
    int year = yearOfEra(dayOfEra(day)); // from March on, so that its February was in this one
    boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return fromMarch + (leap ? 61 : 60);
  }
}
