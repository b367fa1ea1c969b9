package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.fail;

import java.util.Arrays;

/**
 * A number in double precision, with a bound on what the same formula is off by in floats: running error analysis (Wilkinson;
 * Higham, Accuracy and Stability of Numerical Algorithms, 2002, §3.3), to first order.
 *
 * <p>Each operation passes the errors of its operands on and adds u of its result, u = ε/2 = 2⁻²⁴, and the least normal float, as
 * a device may flush what is smaller to 0. Elementary functions may be off by {@value #FUNCTION_ULPS} ε of their result. {@link
 * #check} allows twice the bound: a device may order the operations of a formula otherwise, or have no FMA.
 *
 * @param error what the float may be off by, absolute
 */
record Rounded(double value, double error) {
  /** Unit roundoff of a float. */
  static final double UNIT = 0x1p-24;

  private static final int FUNCTION_ULPS = 4;
  private static final double SLACK = 2;

  /** A number that floats hold. */
  static Rounded exactly(double value) {
    return new Rounded(value, 0);
  }

  /** A number that was rounded to a float once. */
  static Rounded once(double value) {
    return rounded(value, 0);
  }

  /** A sum of {@code terms} float products in any order, whose sizes add up to {@code size}: off by at most terms · u · size. */
  static Rounded sum(double value, double size, int terms) {
    return rounded(value, terms * UNIT * size);
  }

  private static Rounded rounded(double value, double inherited) {
    return new Rounded(value, inherited + UNIT * Math.abs(value) + Float.MIN_NORMAL);
  }

  private static Rounded function(double value, double inherited) {
    return new Rounded(
        value, inherited + FUNCTION_ULPS * 2 * UNIT * Math.abs(value) + Float.MIN_NORMAL);
  }

  Rounded plus(Rounded that) {
    return rounded(value + that.value, error + that.error);
  }

  Rounded plus(double exact) {
    return plus(exactly(exact));
  }

  Rounded minus(Rounded that) {
    return plus(that.negated());
  }

  Rounded times(Rounded that) {
    return rounded(
        value * that.value,
        Math.abs(value) * that.error + Math.abs(that.value) * error + error * that.error);
  }

  Rounded times(double exact) {
    return times(exactly(exact));
  }

  Rounded over(Rounded that) {
    double quotient = value / that.value;
    return rounded(
        quotient,
        (error + Math.abs(quotient) * that.error) / Math.abs(Math.abs(that.value) - that.error));
  }

  Rounded negated() {
    return new Rounded(-value, error);
  }

  Rounded abs() {
    return new Rounded(Math.abs(value), error);
  }

  Rounded max(double exact) {
    return new Rounded(Math.max(value, exact), error);
  }

  Rounded root() {
    double root = Math.sqrt(value);
    double inherited = error < value ? error / (2 * Math.sqrt(value - error)) : Math.sqrt(error);
    return rounded(root, inherited);
  }

  Rounded exp() {
    double e = Math.exp(value);
    return function(e, e * Math.expm1(error));
  }

  Rounded log() {
    return function(Math.log(value), error / (value - error));
  }

  /** ln(1 + this), of a number from 0 up. */
  Rounded log1p() {
    return function(Math.log1p(value), error);
  }

  Rounded sigmoid() {
    double s = 1 / (1 + Math.exp(-value));
    return function(s, s * (1 - s) * Math.expm1(error));
  }

  Rounded tanh() {
    double t = Math.tanh(value);
    return function(t, (1 - t * t + error) * error);
  }

  /** Fails where {@code actual} is further away than allowed, or not a number; {@code part} and {@code at} say of what it is. */
  void check(float actual, String what, String part, int... at) {
    double most = SLACK * error;
    if (!(Math.abs(actual - value) <= most)) {
      fail(
          "%s: %s %s is %s, expected %s within %s"
              .formatted(what, part, Arrays.toString(at), actual, value, most));
    }
  }
}
