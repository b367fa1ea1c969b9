package io.penstock.pipeline;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A cut through the stream (Chandy and Lamport, 1985). It travels with the blocks; every part writes its state into it as it
 * passes, the trainer last. In the ring it is a control slot. One that brings a state back travels the same way: then every part
 * takes over that state as it passes.
 */
public final class Barrier implements StreamItem {
  private final long id;
  private final int epoch;
  private final boolean last;
  private final @Nullable State back;
  private final State state = new State();
  private final CompletableFuture<State> saved = new CompletableFuture<>();

  public Barrier(long id, int epoch) {
    this(id, epoch, false);
  }

  /**
   * @param last whether the stream ends here: what would follow is left for a run that goes on from this cut
   */
  Barrier(long id, int epoch, boolean last) {
    this(id, epoch, last, null);
  }

  /**
   * @param back a whole cut, which operators and trainer take over in mid-stream
   */
  public Barrier(long id, int epoch, State back) {
    this(id, epoch, false, back);
  }

  private Barrier(long id, int epoch, boolean last, @Nullable State back) {
    this.id = id;
    this.epoch = epoch;
    this.last = last;
    this.back = back;
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

  /** The state to be taken over; null where the barrier cuts. */
  public @Nullable State back() {
    return back;
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
