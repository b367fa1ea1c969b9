package io.penstock.trainer.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class PolynomialsTest {
  /** Values between the ends, evenly and, near 0, by powers of two. */
  private static void check(
      UnaryOperator<FloatVector> function,
      DoubleUnaryOperator exact,
      double from,
      double to,
      double maxUlps) {
    int count = 1 << 17;
    for (int i = 0; i <= count; i++) {
      check(function, exact, (float) (from + (to - from) * i / count), maxUlps);
    }
    for (float x = 1e-30f; x < 0.1f; x *= 1.001f) {
      if (x >= from && x <= to) {
        check(function, exact, x, maxUlps);
      }
      if (-x >= from && -x <= to) {
        check(function, exact, -x, maxUlps);
      }
    }
  }

  private static void check(
      UnaryOperator<FloatVector> function, DoubleUnaryOperator exact, float x, double maxUlps) {
    float actual = function.apply(Memory.broadcast(x)).lane(0);
    double expected = exact.applyAsDouble(x);
    double ulps = Math.abs(actual - expected) / Math.ulp((float) expected);
    if (!(ulps <= maxUlps)) {
      assertThat(ulps)
          .as("f(%s) = %s, expected %s", x, actual, expected)
          .isLessThanOrEqualTo(maxUlps);
    }
  }

  @Test
  void shouldComputeExpWithinTwoUlps() {
    check(Polynomials::expNonPositive, Math::exp, -87.3, 0, 2);
  }

  @Test
  void shouldComputeLogWithinTwoUlps() {
    check(Polynomials::log, Math::log, 1, 1e6, 2);
    check(Polynomials::log, Math::log, 1e-30, 1, 2);
  }

  @Test
  void shouldComputeLog1pWithinTwoUlps() {
    check(Polynomials::log1p, Math::log1p, 0, 1, 2);
  }

  @Test
  void shouldComputeSigmoidWithinThreeUlps() {
    check(Polynomials::sigmoid, x -> 1 / (1 + Math.exp(-x)), -80, 80, 3);
  }

  @Test
  void shouldComputeTanhWithinThreeUlps() {
    check(Polynomials::tanh, Math::tanh, -20, 20, 3);
  }

  @Test
  void shouldKeepLimitsAndNaN() {
    FloatVector low = Memory.broadcast(Float.NEGATIVE_INFINITY);
    FloatVector nan = Memory.broadcast(Float.NaN);
    assertThat(Polynomials.expNonPositive(low).lane(0)).isZero();
    assertThat(Polynomials.expNonPositive(Memory.zero()).lane(0)).isEqualTo(1f);
    assertThat(Polynomials.sigmoid(low).lane(0)).isZero();
    assertThat(Polynomials.sigmoid(low.neg()).lane(0)).isEqualTo(1f);
    assertThat(Polynomials.tanh(low).lane(0)).isEqualTo(-1f);
    assertThat(Polynomials.expNonPositive(nan).lane(0)).isNaN();
    assertThat(Polynomials.log(nan).lane(0)).isNaN();
    assertThat(Polynomials.log1p(nan).lane(0)).isNaN();
    assertThat(Polynomials.sigmoid(nan).lane(0)).isNaN();
    assertThat(Polynomials.tanh(nan).lane(0)).isNaN();
  }
}
