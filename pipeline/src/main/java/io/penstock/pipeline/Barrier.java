package io.penstock.pipeline;

import java.util.concurrent.CompletableFuture;

/**
 * A cut through the stream (Chandy and Lamport, 1985). It travels with the blocks; every part writes its state into it as it
 * passes, the trainer last. In the ring it is a control slot.
 */
public final class Barrier implements StreamItem {
  private final long id;
  private final int epoch;
  private final boolean last;
  private final State state = new State();
  private final CompletableFuture<State> saved = new CompletableFuture<>();

  public Barrier(long id, int epoch) {
    this(id, epoch, false);
  }

  /**
   * @param last whether the stream ends here: what would follow is left for a run that goes on from this cut
   */
  Barrier(long id, int epoch, boolean last) {
    this.id = id;
    this.epoch = epoch;
    this.last = last;
  }

  public long id() {
    return id;
  }

  @Override
  public int epoch() {
    return epoch;
  }

  /** Whether nothing behind it is to be trained. */
  boolean last() {
    return last;
  }

  /** Where parts write as the barrier passes them. */
  public State state() {
    return state;
  }

  /** Called by the trainer when its own state is written: the cut is whole. */
  public void complete() {
    saved.complete(state);
  }

  /** Called by whoever drops the barrier on the way: cancellation, failure. */
  public void abandon(Throwable why) {
    saved.completeExceptionally(why);
  }

  /** The whole cut, once the trainer has passed it. */
  public CompletableFuture<State> saved() {
    return saved;
  }
}
