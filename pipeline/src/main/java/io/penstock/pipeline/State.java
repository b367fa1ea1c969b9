package io.penstock.pipeline;

import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What parts of a run save at a barrier and find again: arrays by name. Arrays are copied in and out. Each part writes under a
 * prefix of its own ({@link #scope}). Not thread-safe: the barrier carries it from thread to thread.
 */
public final class State {
  private final SortedMap<String, Object> arrays;
  private final String prefix;

  public State() {
    this(new TreeMap<>(), "");
  }

  private State(SortedMap<String, Object> arrays, String prefix) {
    this.arrays = arrays;
    this.prefix = prefix;
  }

  /** The same state, seen below {@code name + "."}. */
  public State scope(String name) {
    return new State(arrays, prefix + name + ".");
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

  public float[] floats(String name) {
    return get(name, float[].class).clone();
  }

  public byte[] bytes(String name) {
    return get(name, byte[].class).clone();
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
    return new Object[] {array};
  }
}
