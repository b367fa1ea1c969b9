package io.penstock.trainer.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Elementary functions of vectors from additions, multiplications, FMA and divisions alone, which IEEE 754 rounds in one way
 * only: so the same bits come out compiled or interpreted. NaN gives NaN.
 *
 * <p>Coefficients of exp, log and tanh are those of Moshier's Cephes (expf, logf, tanhf). Errors as {@code PolynomialsTest}
 * finds them against double precision: exp, log and log1p 2 ulp, sigmoid and tanh 3 ulp at most.
 */
final class Polynomials {
  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0x1.62e43p-1f;
  private static final float LN2_LOW = -1.9046542e-9f;

  /** 1.5 · 2²³: what is added to it is rounded to an integer, which then stands in the lowest bits. */
  private static final float ROUND = 12582912f;

  private static final int EXPONENT_BIAS = 127;
  private static final int EXPONENT_SHIFT = 23;

  /** ln of the smallest normal float, rounded up. */
  private static final float EXP_MIN = -87.336f;

  private static final int SQRT_HALF_BITS = 0x3f3504f3;
  private static final float TANH_SMALL = 0.625f;

  // Constants as vectors: each broadcast in a method costs as much of the JIT's inlining budget as
  // an operation.
  private static final FloatVector LOG2_ES = Memory.broadcast(LOG2_E);
  private static final FloatVector ROUNDS = Memory.broadcast(ROUND);
  private static final FloatVector MINUS_LN2_HIGHS = Memory.broadcast(-LN2_HIGH);
  private static final FloatVector MINUS_LN2_LOWS = Memory.broadcast(-LN2_LOW);
  private static final FloatVector EXP_0 = Memory.broadcast(1.9875691e-4f);
  private static final FloatVector EXP_1 = Memory.broadcast(1.3981999e-3f);
  private static final FloatVector EXP_2 = Memory.broadcast(8.333452e-3f);
  private static final FloatVector EXP_3 = Memory.broadcast(4.1665796e-2f);
  private static final FloatVector EXP_4 = Memory.broadcast(1.6666666e-1f);
  private static final FloatVector EXP_5 = Memory.broadcast(5e-1f);
  private static final FloatVector LOG_0 = Memory.broadcast(7.0376836e-2f);
  private static final FloatVector LOG_1 = Memory.broadcast(-1.151461e-1f);
  private static final FloatVector LOG_2 = Memory.broadcast(1.16769984e-1f);
  private static final FloatVector LOG_3 = Memory.broadcast(-1.2420141e-1f);
  private static final FloatVector LOG_4 = Memory.broadcast(1.4249323e-1f);
  private static final FloatVector LOG_5 = Memory.broadcast(-1.6668057e-1f);
  private static final FloatVector LOG_6 = Memory.broadcast(2.0000714e-1f);
  private static final FloatVector LOG_7 = Memory.broadcast(-2.4999994e-1f);
  private static final FloatVector LOG_8 = Memory.broadcast(3.333333e-1f);
  private static final FloatVector LN2_LOWS = Memory.broadcast(LN2_LOW);
  private static final FloatVector MINUS_HALF = Memory.broadcast(-0.5f);
  private static final FloatVector LN2_HIGHS = Memory.broadcast(LN2_HIGH);
  private static final FloatVector LOG1P_0 = Memory.broadcast(1f / 15);
  private static final FloatVector LOG1P_1 = Memory.broadcast(1f / 13);
  private static final FloatVector LOG1P_2 = Memory.broadcast(1f / 11);
  private static final FloatVector LOG1P_3 = Memory.broadcast(1f / 9);
  private static final FloatVector LOG1P_4 = Memory.broadcast(1f / 7);
  private static final FloatVector LOG1P_5 = Memory.broadcast(1f / 5);
  private static final FloatVector LOG1P_6 = Memory.broadcast(1f / 3);
  private static final FloatVector ONE = Memory.broadcast(1f);
  private static final FloatVector TANH_0 = Memory.broadcast(-5.7049887e-3f);
  private static final FloatVector TANH_1 = Memory.broadcast(2.0639088e-2f);
  private static final FloatVector TANH_2 = Memory.broadcast(-5.3739715e-2f);
  private static final FloatVector TANH_3 = Memory.broadcast(1.3331442e-1f);
  private static final FloatVector TANH_4 = Memory.broadcast(-3.333328e-1f);
  private static final FloatVector TWO = Memory.broadcast(2f);
  private static final FloatVector ZERO = Memory.broadcast(0f);

  private Polynomials() {}

  /** e to the power of x, for x ≤ 0; 0 where that is below the normal floats. */
  static FloatVector expNonPositive(FloatVector x) {
    FloatVector rounded = x.fma(LOG2_ES, ROUNDS);
    FloatVector n = rounded.sub(ROUNDS);
    FloatVector r = n.fma(MINUS_LN2_HIGHS, x);
    r = n.fma(MINUS_LN2_LOWS, r);
    FloatVector p = EXP_0;
    p = p.fma(r, EXP_1);
    p = p.fma(r, EXP_2);
    p = p.fma(r, EXP_3);
    p = p.fma(r, EXP_4);
    p = p.fma(r, EXP_5);
    p = p.fma(r.mul(r), r).add(ONE);
    FloatVector power =
        rounded
            .reinterpretAsInts()
            .add(EXPONENT_BIAS)
            .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
            .reinterpretAsFloats();
    return p.mul(power).blend(ZERO, x.lt(EXP_MIN));
  }

  /** The natural logarithm of x, a positive normal float. */
  static FloatVector log(FloatVector x) {
    IntVector bits = x.reinterpretAsInts();
    IntVector exponent = bits.sub(SQRT_HALF_BITS).lanewise(VectorOperators.ASHR, EXPONENT_SHIFT);
    FloatVector e = (FloatVector) exponent.convert(VectorOperators.I2F, 0);
    FloatVector r =
        bits.sub(exponent.lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
            .reinterpretAsFloats()
            .sub(ONE);
    FloatVector z = r.mul(r);
    FloatVector p = LOG_0;
    p = p.fma(r, LOG_1);
    p = p.fma(r, LOG_2);
    p = p.fma(r, LOG_3);
    p = p.fma(r, LOG_4);
    p = p.fma(r, LOG_5);
    p = p.fma(r, LOG_6);
    p = p.fma(r, LOG_7);
    p = p.fma(r, LOG_8);
    FloatVector tail = p.mul(r).mul(z);
    tail = e.fma(LN2_LOWS, tail);
    tail = z.fma(MINUS_HALF, tail);
    FloatVector log = e.fma(LN2_HIGHS, r.add(tail));
    return log.blend(x, x.test(VectorOperators.IS_NAN));
  }

  /** ln(1 + x) for 0 ≤ x ≤ 1, as 2 artanh(x / (2 + x)), whose series needs seven terms there. */
  static FloatVector log1p(FloatVector x) {
    FloatVector s = x.div(x.add(TWO));
    FloatVector z = s.mul(s);
    FloatVector p = LOG1P_0;
    p = p.fma(z, LOG1P_1);
    p = p.fma(z, LOG1P_2);
    p = p.fma(z, LOG1P_3);
    p = p.fma(z, LOG1P_4);
    p = p.fma(z, LOG1P_5);
    p = p.fma(z, LOG1P_6);
    FloatVector doubled = s.add(s);
    return p.mul(z).fma(doubled, doubled);
  }

  /** 1 / (1 + e⁻ˣ). */
  static FloatVector sigmoid(FloatVector x) {
    FloatVector e = expNonPositive(x.abs().neg());
    FloatVector numerator = ONE.blend(e, x.lt(0f));
    return numerator.div(e.add(ONE));
  }

  static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector e = expNonPositive(a.mul(-2f));
    FloatVector large = ONE.sub(e).div(e.add(ONE));
    VectorMask<Float> negative = x.lt(0f);
    large = large.blend(large.neg(), negative);

    FloatVector z = x.mul(x);
    FloatVector p = TANH_0;
    p = p.fma(z, TANH_1);
    p = p.fma(z, TANH_2);
    p = p.fma(z, TANH_3);
    p = p.fma(z, TANH_4);
    FloatVector small = p.mul(z).fma(x, x);
    return large.blend(small, a.lt(TANH_SMALL));
  }
}
