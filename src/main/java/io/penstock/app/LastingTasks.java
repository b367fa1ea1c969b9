package io.penstock.app;

import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/**
 * A scheduler whose workers, disposed of, still carry out what they were given before. Reactor's {@code publishOn} needs that
 * to leak nothing: cancelled on the thread it publishes on, it would drop the task that is to give back a block just queued.
 */
final class LastingTasks implements Scheduler {
  private final Scheduler scheduler;

  LastingTasks(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  @Override
  public Disposable schedule(Runnable task) {
    return scheduler.schedule(task);
  }

  @Override
  public Worker createWorker() {
    return new Worker() {
      @Override
      public Disposable schedule(Runnable task) {
        scheduler.schedule(task);
        return Disposables.disposed();
      }

      @Override
      public void dispose() {
        // Tasks last; the scheduler's owner ends it.
      }
    };
  }
}
