package io.penstock.pipeline;

/** A part of a run whose state belongs to a checkpoint. */
public interface Stateful {

  /** Writes all that is needed to go on as if nothing had happened. */
  void save(State state);

  /** Takes over what {@link #save} wrote. Called before the first item, or in its place among them. */
  void restore(State state);
}
