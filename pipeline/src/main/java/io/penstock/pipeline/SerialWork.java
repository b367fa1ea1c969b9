package io.penstock.pipeline;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work that any thread may ask for and one at a time does, again for as long as it was asked for meanwhile: so nothing that was
 * there before the asking is missed, and what only the work touches needs no lock. Whoever raises the count from 0 has it run; it
 * goes on until it has lowered the count to 0 again.
 */
public final class SerialWork {
  private final Runnable step;
  private final Executor thread;
  private final Runnable onRefusal;
  private final AtomicInteger asked = new AtomicInteger();
  private final Runnable drain = this::drain;

  /**
   * @param step does all there is to do, and returns
   * @param thread where it runs
   * @param onRefusal called where that takes no more work, before the step runs on the asking thread
   */
  public SerialWork(Runnable step, Executor thread, Runnable onRefusal) {
    this.step = step;
    this.thread = thread;
    this.onRefusal = onRefusal;
  }

  /** On the asking thread. */
  public SerialWork(Runnable step) {
    this(step, Runnable::run, () -> {});
  }

  /** Asks for the work. Any thread. */
  public void ask() {
    if (asked.getAndIncrement() != 0) {
      return;
    }
    try {
      thread.execute(drain);
    } catch (RejectedExecutionException e) {
      onRefusal.run();
      drain();
    }
  }

  private void drain() {
    int missed = asked.get();
    do {
      step.run();
      missed = asked.addAndGet(-missed);
    } while (missed != 0);
  }
}
