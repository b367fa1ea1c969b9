package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Float#parseFloat} is the reference: it is correctly rounded since JDK 19. */
class DecimalsTest {
  private static final int CASES = 200_000;

  @Test
  void shouldRoundRandomDecimalsAsTheJdkDoes() {
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES; i++) {
      StringBuilder text = new StringBuilder(random.nextInt(3) == 0 ? "-" : "");
      digits(random, text, 1 + random.nextInt(12));
      if (random.nextBoolean()) {
        digits(random, text.append('.'), random.nextInt(14));
      }
      if (random.nextInt(3) == 0) {
        text.append(random.nextBoolean() ? 'e' : 'E').append(random.nextInt(-50, 45));
      }
      assertNearest(text.toString(), seed);
    }
  }

  @Test
  void shouldReadEveryKindOfFloatBackFromItsShortestText() {
    long seed = 8;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      if (Float.isFinite(value)) {
        assertNearest(Float.toString(value), seed);
      }
    }
  }

  @Test
  void shouldBreakTiesToEvenAndSeeOneDigitPastThem() {
    long seed = 9;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES / 10; i++) {
      float value = Math.abs(Float.intBitsToFloat(random.nextInt()));
      if (Float.isFinite(value) && value < Float.MAX_VALUE) {
        BigDecimal middle =
            new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.TWO);
        BigDecimal hair = BigDecimal.ONE.movePointLeft(middle.scale() + 2);
        assertNearest(middle.toPlainString(), seed);
        assertNearest(middle.add(hair).toString(), seed);
        assertNearest(middle.subtract(hair).toString(), seed);
      }
    }
  }

  /** Closer to the middle than a double tells, in as many digits as a long has. */
  @Test
  void shouldTellOnWhichSideOfTheMiddleALongNumberLies() {
    long seed = 11;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES; i++) {
      float value = Float.intBitsToFloat(random.nextInt(0x3000_0000, 0x5000_0000));
      BigDecimal middle =
          new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.TWO);
      BigDecimal rounded = middle.round(new MathContext(16 + random.nextInt(3)));
      BigDecimal unit = rounded.ulp().multiply(BigDecimal.valueOf(random.nextInt(-9, 10)));
      assertNearest(rounded.add(unit).toPlainString(), seed);
    }
  }

  @Test
  void shouldBreakTiesOfLargeIntegers() {
    long seed = 10;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES; i++) {
      long middle = (((1L << 24) + random.nextInt(1 << 24)) * 2 + 1) << random.nextInt(10);
      assertNearest(Long.toString(middle + random.nextInt(-1, 2)), seed);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-0",
        "0e999999999999",
        "00000000000000000000000001",
        "1e-60",
        "5.",
        ".5",
        "+5",
        "1E+5",
        "3.4028235e38",
        "3.4028235677973366e38",
        "1.4e-45",
        "7e-46",
        "1.17549435E-38",
        "16777217",
        "0.000000000000000000000000000000000000000000000000000000000000001e63",
        "123456789012345678901234567890",
        "9007199254740993",
        "1e22",
        "1e23",
        "8.5899346E9"
      })
  void shouldReadNumbersAtTheEdges(String text) {
    assertNearest(text, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "+",
        ".",
        "-.",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1e-",
        "1.2.3",
        "1,5",
        "--1",
        "1 2",
        "1f",
        "1d",
        "0x1p3",
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "1e39",
        "-1e39",
        "3.4028236e38",
        "1e999",
        "nan",
        "1_000",
        "１"
      })
  void shouldRefuseWhatIsNoFiniteFloat(String text) {
    assertThat(parse(text)).as("'%s'", text).isNaN();
  }

  private static void digits(SplittableRandom random, StringBuilder text, int count) {
    for (int i = 0; i < count; i++) {
      text.append((char) ('0' + random.nextInt(10)));
    }
  }

  private static void assertNearest(String text, long seed) {
    float expected = Float.parseFloat(text);
    float actual = parse(text);
    if (Float.isInfinite(expected)) {
      assertThat(actual).as("'%s', seed %d", text, seed).isNaN();
    } else if (Float.floatToRawIntBits(actual) != Float.floatToRawIntBits(expected)) {
      throw new AssertionError(
          String.format(Locale.ROOT, "'%s', seed %d: %s, not %s", text, seed, actual, expected));
    }
  }

  private static float parse(String text) {
    byte[] bytes = ("7" + text + "7").getBytes(StandardCharsets.UTF_8);
    return Decimals.parse(bytes, 1, bytes.length - 1);
  }
}
