package io.penstock.pipeline;

import java.util.concurrent.Semaphore;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/**
 * Lets every block pass the operators of its columns, the columns shared out among {@code parallelism} threads: the pipeline
 * thread and workers of a scheduler. A block goes on when all are done, so its memory has one owner at any time.
 */
public final class OperatorStage implements Disposable {
  /** The operators' part of a saved state: where a barrier's cut has it. */
  public static final String SCOPE = "operators";

  private final FeaturePlan plan;
  private final NanoClock clock;
  private final StageMeter meter;
  private final Share[] shares;
  private final Semaphore done = new Semaphore(0);
  private @Nullable Block block;

  /**
   * @param parallelism threads, the caller's counted in
   * @param scheduler where the others come from; one worker each
   */
  public OperatorStage(
      FeaturePlan plan, int parallelism, Scheduler scheduler, NanoClock clock, StageMeter meter) {
    this.plan = plan;
    this.clock = clock;
    this.meter = meter;
    shares = new Share[Math.min(parallelism, plan.shares()) - 1];
    for (int i = 0; i < shares.length; i++) {
      shares[i] = new Share(i + 1, scheduler.createWorker());
    }
  }

  /** The items, their blocks rewritten; barriers take the operators' state along, or bring an earlier one. */
  public Flux<StreamItem> apply(Flux<StreamItem> items) {
    return items.doOnNext(this::pass);
  }

  /** An item that an operator fails on goes no further: it is given back here. */
  private void pass(StreamItem item) {
    try {
      work(item);
    } catch (RuntimeException | Error e) {
      Assembler.discard(item, e);
      throw e;
    }
  }

  private void work(StreamItem item) {
    switch (item) {
      case Block b -> process(b);
      case Barrier b -> pass(b);
      case EndOfPartition _ -> {}
    }
  }

  private void pass(Barrier barrier) {
    State back = barrier.back();
    if (back == null) {
      plan.save(barrier.state().scope(SCOPE));
    } else {
      plan.restore(back.scope(SCOPE));
    }
  }

  private void process(Block next) {
    long began = clock.nanoTime();
    block = next;
    for (Share share : shares) {
      share.worker.schedule(share);
    }
    try {
      plan.process(next, 0, shares.length + 1);
    } finally {
      done.acquireUninterruptibly(shares.length);
      block = null;
    }
    rethrow();
    meter.busy(clock.nanoTime() - began);
    meter.passed(next.rows(), 0);
  }

  private void rethrow() {
    for (Share share : shares) {
      Throwable failure = share.failure;
      if (failure != null) {
        throw new IllegalStateException("an operator failed: " + failure, failure);
      }
    }
  }

  @Override
  public void dispose() {
    for (Share share : shares) {
      share.worker.dispose();
    }
  }

  /** The columns of one worker. */
  private final class Share implements Runnable {
    private final int first;
    private final Scheduler.Worker worker;
    private @Nullable Throwable failure;

    Share(int first, Scheduler.Worker worker) {
      this.first = first;
      this.worker = worker;
    }

    @Override
    public void run() {
      try {
        Block mine = block;
        if (mine != null) {
          plan.process(mine, first, shares.length + 1);
        }
      } catch (RuntimeException | Error e) {
        failure = e;
      } finally {
        done.release();
      }
    }
  }
}
