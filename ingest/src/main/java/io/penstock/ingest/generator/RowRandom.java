package io.penstock.ingest.generator;

/**
 * Random numbers addressed by row: SplitMix64 (Steele, Lea and Flood: "Fast splittable pseudorandom number generators", OOPSLA
 * 2014), started anew for each row at a state mixed from seed and row.
 */
final class RowRandom {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  /** Odd, and not the golden gamma: the draws of one row must not be those of the next, shifted by one. */
  private static final long ROW_GAMMA = 0xd1342543de82ef95L;

  private static final double UNIT = 0x1p-53;

  private final long seed;
  private long state;

  RowRandom(long seed) {
    this.seed = mix(seed + GOLDEN_GAMMA);
  }

  /** The draws of row {@code row} come next. */
  void row(long row) {
    state = mix(seed + row * ROW_GAMMA);
  }

  /** Uniform over 0 to {@code bound - 1}; the bias is below {@code bound} / 2^32, far under what a stream could show. */
  int below(int bound) {
    return (int) (((next() >>> 32) * bound) >>> 32);
  }

  /** Uniform over [0, 1), in steps of 2^-53. */
  double unit() {
    return (next() >>> 11) * UNIT;
  }

  /** Standard normal, at most 8.6 from 0: Box and Muller (1958), by StrictMath, so that it is the same on every machine. */
  double gaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - unit()));
    return radius * StrictMath.cos(2 * Math.PI * unit());
  }

  private long next() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
