package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventTimesTest {

  @Test
  void shouldReadIsoTimesAsTheJdkDoes() {
    long seed = 3;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 50_000; i++) {
      Instant instant =
          Instant.ofEpochSecond(
              random.nextLong(-9_000_000_000L, 9_000_000_000L), random.nextInt(1_000_000_000));
      OffsetDateTime time =
          instant.atOffset(ZoneOffset.ofTotalSeconds(60 * random.nextInt(-18 * 60, 18 * 60)));
      String text = time.toString();
      assertThat(parse(text))
          .as("%s, seed %d", text, seed)
          .isEqualTo(ChronoUnit.NANOS.between(Instant.EPOCH, instant));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2024-02-29, 1709164800000000000",
    "2024-02-29 01:02, 1709168520000000000",
    "2024-02-29T01:02:03, 1709168523000000000",
    "2024-02-29t01:02:03.5z, 1709168523500000000",
    "2024-02-29T01:02:03+0130, 1709163123000000000",
    "2024-02-29T01:02:03-01, 1709172123000000000",
    "0, 0",
    "1700000000, 1700000000000000000",
    "1700000000.123456789123, 1700000000123456789",
    "1700000000123, 1700000000123000000",
    "1700000000123.4567, 1700000000123456700",
    "100000000001, 100000000001000000",
    "-1.5, -1500000000"
  })
  void shouldReadDatesSecondsAndMilliseconds(String text, long nanos) {
    assertThat(parse(text)).isEqualTo(nanos);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "now",
        "2023-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-1-1",
        "2024-01-01T",
        "2024-01-01T25:00",
        "2024-01-01T10:60",
        "2024-01-01T10:00:60",
        "2024-01-01T10:00:0",
        "2024-01-01T10:00:00.",
        "2024-01-01T10:00:00+",
        "2024-01-01T10:00:00+1",
        "2024-01-01T10:00:00Zx",
        "9999-01-01",
        "1e9",
        "1.",
        ".5",
        "99999999999999999999",
        "1700000000000000000",
        "12:30",
        "NaN"
      })
  void shouldRefuseWhatIsNoTime(String text) {
    assertThat(parse(text)).as("'%s'", text).isEqualTo(EventTimes.INVALID);
  }

  private static long parse(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return EventTimes.parse(bytes, 0, bytes.length);
  }
}
