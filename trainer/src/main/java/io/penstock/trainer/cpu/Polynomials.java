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

  private Polynomials() {}

  /** e to the power of x, for x ≤ 0; 0 where that is below the normal floats. */
  static FloatVector expNonPositive(FloatVector x) {
    FloatVector rounded = x.fma(Memory.broadcast(LOG2_E), Memory.broadcast(ROUND));
    FloatVector n = rounded.sub(ROUND);
    FloatVector r = n.fma(Memory.broadcast(-LN2_HIGH), x);
    r = n.fma(Memory.broadcast(-LN2_LOW), r);
    FloatVector p = Memory.broadcast(1.9875691e-4f);
    p = p.fma(r, Memory.broadcast(1.3981999e-3f));
    p = p.fma(r, Memory.broadcast(8.333452e-3f));
    p = p.fma(r, Memory.broadcast(4.1665796e-2f));
    p = p.fma(r, Memory.broadcast(1.6666666e-1f));
    p = p.fma(r, Memory.broadcast(5e-1f));
    p = p.fma(r.mul(r), r).add(1f);
    FloatVector power =
        rounded
            .reinterpretAsInts()
            .add(EXPONENT_BIAS)
            .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
            .reinterpretAsFloats();
    return p.mul(power).blend(0f, x.lt(EXP_MIN));
  }

  /** The natural logarithm of x, a positive normal float. */
  static FloatVector log(FloatVector x) {
    IntVector bits = x.reinterpretAsInts();
    IntVector exponent = bits.sub(SQRT_HALF_BITS).lanewise(VectorOperators.ASHR, EXPONENT_SHIFT);
    FloatVector e = (FloatVector) exponent.convert(VectorOperators.I2F, 0);
    FloatVector r =
        bits.sub(exponent.lanewise(VectorOperators.LSHL, EXPONENT_SHIFT))
            .reinterpretAsFloats()
            .sub(1f);
    FloatVector z = r.mul(r);
    FloatVector p = Memory.broadcast(7.0376836e-2f);
    p = p.fma(r, Memory.broadcast(-1.151461e-1f));
    p = p.fma(r, Memory.broadcast(1.16769984e-1f));
    p = p.fma(r, Memory.broadcast(-1.2420141e-1f));
    p = p.fma(r, Memory.broadcast(1.4249323e-1f));
    p = p.fma(r, Memory.broadcast(-1.6668057e-1f));
    p = p.fma(r, Memory.broadcast(2.0000714e-1f));
    p = p.fma(r, Memory.broadcast(-2.4999994e-1f));
    p = p.fma(r, Memory.broadcast(3.333333e-1f));
    FloatVector tail = p.mul(r).mul(z);
    tail = e.fma(Memory.broadcast(LN2_LOW), tail);
    tail = z.fma(Memory.broadcast(-0.5f), tail);
    FloatVector log = e.fma(Memory.broadcast(LN2_HIGH), r.add(tail));
    return log.blend(x, x.test(VectorOperators.IS_NAN));
  }

  /** ln(1 + x) for 0 ≤ x ≤ 1, as 2 artanh(x / (2 + x)), whose series needs seven terms there. */
  static FloatVector log1p(FloatVector x) {
    FloatVector s = x.div(x.add(2f));
    FloatVector z = s.mul(s);
    FloatVector p = Memory.broadcast(1f / 15);
    p = p.fma(z, Memory.broadcast(1f / 13));
    p = p.fma(z, Memory.broadcast(1f / 11));
    p = p.fma(z, Memory.broadcast(1f / 9));
    p = p.fma(z, Memory.broadcast(1f / 7));
    p = p.fma(z, Memory.broadcast(1f / 5));
    p = p.fma(z, Memory.broadcast(1f / 3));
    FloatVector doubled = s.add(s);
    return p.mul(z).fma(doubled, doubled);
  }

  /** 1 / (1 + e⁻ˣ). */
  static FloatVector sigmoid(FloatVector x) {
    FloatVector e = expNonPositive(x.abs().neg());
    FloatVector numerator = Memory.broadcast(1f).blend(e, x.lt(0f));
    return numerator.div(e.add(1f));
  }

  static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector e = expNonPositive(a.mul(-2f));
    FloatVector large = Memory.broadcast(1f).sub(e).div(e.add(1f));
    VectorMask<Float> negative = x.lt(0f);
    large = large.blend(large.neg(), negative);

    FloatVector z = x.mul(x);
    FloatVector p = Memory.broadcast(-5.7049887e-3f);
    p = p.fma(z, Memory.broadcast(2.0639088e-2f));
    p = p.fma(z, Memory.broadcast(-5.3739715e-2f));
    p = p.fma(z, Memory.broadcast(1.3331442e-1f));
    p = p.fma(z, Memory.broadcast(-3.333328e-1f));
    FloatVector small = p.mul(z).fma(x, x);
    return large.blend(small, a.lt(TANH_SMALL));
  }
}
