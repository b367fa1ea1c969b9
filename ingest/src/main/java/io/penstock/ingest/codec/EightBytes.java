package io.penstock.ingest.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Text looked at eight bytes at a time, the first one lowest. */
final class EightBytes {
  /** Bits that eight digits take. */
  static final int ALL_BITS = Long.SIZE;

  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long ONES = 0x0101_0101_0101_0101L;
  private static final long HIGH_BITS = 0x8080_8080_8080_8080L;
  private static final long ZEROS = 0x3030_3030_3030_3030L;
  private static final long ABOVE_NINES = 0x7676_7676_7676_7676L;
  private static final long QUOTES = 0x2222_2222_2222_2222L;
  private static final long BACKSLASHES = 0x5c5c_5c5c_5c5c_5c5cL;
  private static final long SPACES = 0x2020_2020_2020_2020L;
  private static final long EVERY_FOURTH = 0xff_0000_00ffL;
  private static final long HIGH_WEIGHTS = 100 + (1_000_000L << 32);
  private static final long LOW_WEIGHTS = 1 + (10_000L << 32);

  private EightBytes() {}

  /** The bytes from {@code index} on; there must be eight. */
  static long at(byte[] text, int index) {
    return (long) WORD.get(text, index);
  }

  /** Bits that the digits take with which {@code word} begins: 0 where there is none, {@link #ALL_BITS} where all are. */
  static int digitBits(long word) {
    long digits = word ^ ZEROS;
    long others = ((digits + ABOVE_NINES) | digits) & HIGH_BITS;
    return Long.numberOfTrailingZeros(others) & -Byte.SIZE;
  }

  /** The number that the lowest {@code bits} hold, a digit a byte (Lemire and Muła); {@code bits} must not be 0. */
  static int integer(long word, int bits) {
    long eight = (word ^ ZEROS) << -bits; // zeros before the first digit
    long pairs = eight * 10 + (eight >>> 8);
    long high = (pairs & EVERY_FOURTH) * HIGH_WEIGHTS;
    long low = ((pairs >>> 16) & EVERY_FOURTH) * LOW_WEIGHTS;
    return (int) ((high + low) >>> 32);
  }

  /** Index before which there is nothing but ASCII between {@code from} and {@code to}; there may be more. */
  static int asciiEnd(byte[] text, int from, int to) {
    int p = from;
    while (to - p >= Long.BYTES && (at(text, p) & HIGH_BITS) == 0) {
      p += Long.BYTES;
    }
    return p;
  }

  /**
   * Index of the first byte from {@code from} on that a JSON string cannot hold as it is: a quote, a backslash or a control
   * character. There must be one, with seven bytes behind it.
   */
  static int plainEnd(byte[] text, int from) {
    int p = from;
    while (true) {
      long word = at(text, p);
      long quotes = word ^ QUOTES;
      long backslashes = word ^ BACKSLASHES;
      // A carry can make a byte look so only above one that is.
      long ends =
          (((quotes - ONES) & ~quotes)
                  | ((backslashes - ONES) & ~backslashes)
                  | ((word - SPACES) & ~word))
              & HIGH_BITS;
      if (ends != 0) {
        return p + (Long.numberOfTrailingZeros(ends) >>> 3);
      }
      p += Long.BYTES;
    }
  }
}
