package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.FeatureConfig.TimePart;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoField;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZoneClockTest {
  private static final long FIRST = Instant.parse("1905-01-01T00:00:00Z").getEpochSecond();
  private static final long LAST = Instant.parse("2190-01-01T00:00:00Z").getEpochSecond();

  private static void assertAsJavaTime(ZoneClock clock, ZoneId zone, long second, int nano) {
    ZonedDateTime time = Instant.ofEpochSecond(second, nano).atZone(zone);
    for (TimePart part : TimePart.values()) {
      assertThat(clock.part(part, second * 1_000_000_000 + nano))
          .as("%s of %s", part, time)
          .isEqualTo(time.get(ChronoField.valueOf(part.name())));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"UTC", "+05:30", "-09:00", "Europe/Oslo", "America/New_York", "Australia/Sydney"})
  void shouldShowWhatJavaTimeDoes(String id) {
    ZoneId zone = ZoneId.of(id);
    ZoneClock clock = new ZoneClock(zone);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 3000; i++) {
      assertAsJavaTime(clock, zone, random.nextLong(FIRST, LAST), random.nextInt(1_000_000_000));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTC", "Europe/Oslo"})
  void shouldKnowEveryHourAroundTheTurnOfYearsAndChangesOfOffset(String id) {
    ZoneId zone = ZoneId.of(id);
    ZoneClock clock = new ZoneClock(zone);
    for (int year : new int[] {1999, 2000, 2003, 2004, 2100}) {
      long from = Instant.parse(year + "-02-25T00:00:00Z").getEpochSecond();
      for (int hour = 0; hour < 24 * 310; hour++) {
        assertAsJavaTime(clock, zone, from + 3600L * hour - 1, 999_999_999);
      }
    }
  }

  @Test
  void shouldRoundTimesBefore1970Down() {
    assertThat(new ZoneClock(ZoneId.of("UTC")).part(TimePart.SECOND_OF_MINUTE, -1)).isEqualTo(59);
  }
}
