package io.penstock.ingest.generator;

import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.agrona.concurrent.EpochNanoClock;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Blocks of one synthetic stream, then its end, filled on a thread of their own as they are requested. */
final class GeneratorFlux extends Flux<StreamItem> {
  private final long records;
  private final Supplier<SyntheticStream> stream;
  private final PartitionCursor cursor;
  private final SourceContext context;

  /**
   * Rows from the cursor's next on.
   *
   * @param records row at which the stream ends; 0: never
   */
  GeneratorFlux(
      long records,
      Supplier<SyntheticStream> stream,
      PartitionCursor cursor,
      SourceContext context) {
    this.records = records;
    this.stream = stream;
    this.cursor = cursor;
    this.context = context;
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> actual) {
    Filling filling = new Filling(actual);
    actual.onSubscribe(filling);
  }

  /** The subscription. Fields without a comment are confined to the generator's thread. */
  private final class Filling implements Subscription, Runnable {
    private final CoreSubscriber<? super StreamItem> actual;
    private final Scheduler scheduler =
        Schedulers.newSingle(
            task -> {
              Thread thread = new Thread(task, "penstock-generator");
              thread.setDaemon(true);
              return thread;
            });
    private final BlockPool pool = context.pool();
    private final EpochNanoClock clock = context.clock();
    private final BlockFiller filler = new BlockFiller(stream.get(), pool.layout());

    /** Items asked for and not yet sent. Any thread. */
    private final AtomicLong requested = new AtomicLong();

    /** Reasons to run that have not been looked at; whoever raises it from 0 schedules the run. Any thread. */
    private final AtomicInteger work = new AtomicInteger();

    /** Any thread. */
    private volatile boolean cancelled;

    private long nextRow = cursor.nextRow();
    private boolean waiting;
    private boolean done;
    private long idleSince = clock.nanoTime();

    private Filling(CoreSubscriber<? super StreamItem> actual) {
      this.actual = actual;
    }

    @Override
    public void request(long n) {
      if (Operators.validate(n)) {
        requested.accumulateAndGet(n, Operators::addCap);
        wake();
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      wake();
    }

    private void wake() {
      if (work.getAndIncrement() == 0) {
        scheduler.schedule(this);
      }
    }

    @Override
    public void run() {
      int seen = work.get();
      while (seen != 0) {
        context.ingest().blocked(clock.nanoTime() - idleSince);
        drain();
        if (done) {
          // The count stays above 0: nobody schedules anything again.
          return;
        }
        idleSince = clock.nanoTime();
        seen = work.addAndGet(-seen);
      }
    }

    private void drain() {
      while (!cancelled && requested.get() > 0) {
        if (records > 0 && nextRow >= records) {
          actual.onNext(new EndOfPartition(context.epoch(), cursor));
          actual.onComplete();
          stop();
          return;
        }
        Block block = pool.tryAcquire(context.epoch(), cursor);
        if (block == null) {
          awaitBlock();
          return;
        }
        send(block);
      }
      if (cancelled) {
        stop();
      }
    }

    private void send(Block block) {
      long begun = clock.nanoTime();
      int rows = pool.layout().capacityRows();
      if (records > 0) {
        rows = (int) Math.min(rows, records - nextRow);
      }
      filler.fill(block, nextRow, rows);
      if (cancelled) {
        block.release();
        return;
      }
      nextRow += rows;
      long filled = clock.nanoTime();
      block.seal(rows, nextRow, nextRow, filled);
      context.ingest().busy(filled - begun);
      context.ingest().passed(rows, (long) rows * filler.fields() * Float.BYTES);
      if (requested.get() != Long.MAX_VALUE) {
        requested.decrementAndGet();
      }
      actual.onNext(block);
    }

    private void awaitBlock() {
      if (!waiting) {
        waiting = true;
        pool.whenFree(cursor, this::blockFree);
      }
    }

    /** On the thread of whoever gave the block back. */
    private void blockFree() {
      scheduler.schedule(this::resume);
    }

    private void resume() {
      waiting = false;
      if (done) {
        passOn();
        scheduler.dispose();
      } else {
        wake();
      }
    }

    /** The pool told us and nobody else that a block is free: who does not want it must say so, or others wait for ever. */
    private void passOn() {
      Block block = pool.tryAcquire(context.epoch(), cursor);
      if (block != null) {
        block.release();
      }
    }

    private void stop() {
      done = true;
      if (!waiting) {
        scheduler.dispose();
      }
    }
  }
}
