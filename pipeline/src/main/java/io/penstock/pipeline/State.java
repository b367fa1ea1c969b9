package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What parts of a run save at a barrier and find again: arrays by name. Arrays are copied in and out, all but a {@link Matrix},
 * which may be large: it stays where it is until {@link #release}. Each part writes under a prefix of its own ({@link #scope}).
 * Not thread-safe: the barrier carries it from thread to thread.
 */
public final class State {
  private final SortedMap<String, Object> arrays;
  private final Deque<Runnable> onRelease;
  private final String prefix;

  public State() {
    this(new TreeMap<>(), new ArrayDeque<>(), "");
  }

  private State(SortedMap<String, Object> arrays, Deque<Runnable> onRelease, String prefix) {
    this.arrays = arrays;
    this.onRelease = onRelease;
    this.prefix = prefix;
  }

  /**
   * Floats in rows and columns, one row after the other.
   *
   * @param values as many bytes as there are floats, four times; in the byte order of this machine
   */
  public record Matrix(MemorySegment values, int rows, int columns) {
    /** Checks the size. */
    public Matrix {
      if (values.byteSize() != (long) rows * columns * Float.BYTES) {
        throw new IllegalArgumentException(
            "saved state: %d bytes are no %d by %d floats"
                .formatted(values.byteSize(), rows, columns));
      }
    }

    /** A copy of the floats. */
    public float[] toArray() {
      return values.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
  }

  /** The same state, seen below {@code name + "."}. */
  public State scope(String name) {
    return new State(arrays, onRelease, prefix + name + ".");
  }

  /** Puts floats that stay where they are; whoever owns them learns by {@link #onRelease} when they are no longer needed. */
  public void put(String name, Matrix matrix) {
    arrays.put(prefix + name, matrix);
  }

  /** Called once by {@link #release}. */
  public void onRelease(Runnable action) {
    onRelease.push(action);
  }

  /** Says that nobody will look at this state any more. One that is never released keeps the memory of its matrices. */
  public void release() {
    while (!onRelease.isEmpty()) {
      onRelease.pop().run();
    }
  }

  public void put(String name, long... values) {
    arrays.put(prefix + name, values.clone());
  }

  public void put(String name, double... values) {
    arrays.put(prefix + name, values.clone());
  }

  public void put(String name, float... values) {
    arrays.put(prefix + name, values.clone());
  }

  public void put(String name, byte... values) {
    arrays.put(prefix + name, values.clone());
  }

  public boolean has(String name) {
    return arrays.containsKey(prefix + name);
  }

  public long[] longs(String name) {
    return get(name, long[].class).clone();
  }

  public double[] doubles(String name) {
    return get(name, double[].class).clone();
  }

  /** Floats, of an array or a matrix. */
  public float[] floats(String name) {
    return arrays.get(prefix + name) instanceof Matrix matrix
        ? matrix.toArray()
        : get(name, float[].class).clone();
  }

  public byte[] bytes(String name) {
    return get(name, byte[].class).clone();
  }

  /** A copy of all but the matrices, which stays when this state is released. */
  public State withoutMatrices() {
    State copy = new State();
    arrays.forEach(
        (name, array) -> {
          if (!(array instanceof Matrix)) {
            copy.arrays.put(name, array); // never written to once it is here
          }
        });
    return copy;
  }

  /** All arrays by full name, in the order of their names. */
  public SortedMap<String, Object> arrays() {
    return Collections.unmodifiableSortedMap(arrays);
  }

  private <T> T get(String name, Class<T> type) {
    Object value = arrays.get(prefix + name);
    if (!type.isInstance(value)) {
      throw new IllegalStateException(
          "saved state: '%s' must be %s but is %s; known: %s"
              .formatted(
                  prefix + name,
                  type.getSimpleName(),
                  value == null ? "missing" : value.getClass().getSimpleName(),
                  arrays.keySet()));
    }
    return type.cast(value);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof State that
        && arrays.keySet().equals(that.arrays.keySet())
        && arrays.entrySet().stream()
            .allMatch(
                e ->
                    Arrays.deepEquals(
                        box(e.getValue()), box(that.arrays.getOrDefault(e.getKey(), e))));
  }

  @Override
  public int hashCode() {
    return arrays.keySet().hashCode();
  }

  private static Object[] box(Object array) {
    return new Object[] {array instanceof Matrix matrix ? matrix.toArray() : array};
  }
}
