package io.penstock.trainer.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** Loads and stores by address, and the shape of vectors. */
final class Memory {
  /** Lines are padded to 16 floats, so no vector may be wider. */
  private static final int MAX_LANES = 16;

  static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() <= MAX_LANES
          ? FloatVector.SPECIES_PREFERRED
          : FloatVector.SPECIES_512;

  static final int LANES = SPECIES.length();

  /** Bytes of a vector. */
  static final long STEP = (long) LANES * Float.BYTES;

  private static final FloatVector IOTA = FloatVector.zero(SPECIES).addIndex(1);

  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(LITTLE_ENDIAN);

  private Memory() {}

  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(SPECIES, ALL, address, LITTLE_ENDIAN);
  }

  static void store(FloatVector vector, long address) {
    vector.intoMemorySegment(ALL, address, LITTLE_ENDIAN);
  }

  static float get(long address) {
    return ALL.get(FLOAT, address);
  }

  static void put(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  /** The value at {@code address} in all lanes. */
  static FloatVector spread(long address) {
    return FloatVector.broadcast(SPECIES, get(address));
  }

  static FloatVector zero() {
    return FloatVector.zero(SPECIES);
  }

  /** Lanes of the vector beginning at column {@code column} that are columns below {@code columns}. */
  static VectorMask<Float> before(int column, int columns) {
    return IOTA.lt(columns - column);
  }

  /** The vector with 0 where {@code kept} is not set. */
  static FloatVector select(FloatVector vector, VectorMask<Float> kept) {
    return zero().blend(vector, kept);
  }

  /**
   * The sum of the floats of one vector's width at {@code address}: halves are added until 4 are left. Scalar: vectors of two
   * more shapes in one kernel were too much for C2's inlining, and it boxed them.
   */
  static float sumOfVector(long address) {
    return LANES > 2
        ? (folded(address) + folded(address + 8)) + (folded(address + 4) + folded(address + 12))
        : get(address) + get(address + 4);
  }

  /** The float at {@code address} with those 4, 8 and 12 lanes further, as folding halves adds them. */
  private static float folded(long address) {
    if (LANES > 8) {
      return (get(address) + get(address + 32)) + (get(address + 16) + get(address + 48));
    }
    return LANES > 4 ? get(address) + get(address + 16) : get(address);
  }
}
