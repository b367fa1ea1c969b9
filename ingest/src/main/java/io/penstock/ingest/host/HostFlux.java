package io.penstock.ingest.host;

import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SerialWork;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;

/**
 * A row for each tick but the first two, sent on as soon as its label is known, one tick later. Rows that nobody asks for wait in one
 * block; while that is full, or no block is to be had, no sensor is read, and afterwards the rows begin anew, so that no label is
 * that of a later tick than the next.
 */
final class HostFlux extends Flux<StreamItem> {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A machine that slept, or stood still for so many ticks, is another one when it wakes up. */
  private static final int LONGEST_TICKS = 3;

  private final long everyNanos;
  private final long records;
  private final Supplier<Supplier<Sample>> sensors;
  private final Supplier<Scheduler> threads;
  private final PartitionCursor cursor;
  private final SourceContext context;

  /**
   * Rows from the cursor's next on.
   *
   * @param records row at which the stream ends; 0: never
   * @param sensors opens them, on the thread that reads them
   * @param threads makes the one thread; it is disposed of at the end
   */
  HostFlux(
      long everyNanos,
      long records,
      Supplier<Supplier<Sample>> sensors,
      Supplier<Scheduler> threads,
      PartitionCursor cursor,
      SourceContext context) {
    this.everyNanos = everyNanos;
    this.records = records;
    this.sensors = sensors;
    this.threads = threads;
    this.cursor = cursor;
    this.context = context;
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> actual) {
    Sampling sampling = new Sampling(actual);
    actual.onSubscribe(sampling);
    sampling.work.ask();
  }

  /** The subscription. Fields without a comment are confined to the source's thread. */
  private final class Sampling implements Subscription {
    private final CoreSubscriber<? super StreamItem> actual;
    private final Scheduler thread = threads.get();
    private final SerialWork work = new SerialWork(this::advance, thread::schedule, () -> {});
    private final EpochNanoClock clock = context.clock();
    private final BlockLayout layout = context.pool().layout();

    /** Items asked for and not yet sent. Any thread. */
    private final AtomicLong requested = new AtomicLong();

    /** Any thread. */
    private volatile boolean cancelled;

    private @Nullable Supplier<Sample> opened;
    private @Nullable Sample last;
    private final float[] features = new float[layout.schema().columns().size()];
    private boolean unlabelled;
    private long unlabelledNanos;
    private @Nullable Block block;
    private int rows;
    private long nextRow = cursor.nextRow();
    private boolean ended;
    private @Nullable Disposable ticking;
    private long idleSince = clock.nanoTime();

    private Sampling(CoreSubscriber<? super StreamItem> actual) {
      this.actual = actual;
    }

    @Override
    public void request(long n) {
      if (Operators.validate(n)) {
        requested.accumulateAndGet(n, Operators::addCap);
        work.ask();
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      work.ask();
    }

    private void tick() {
      if (ended || cancelled || isComplete()) {
        return;
      }
      long begun = clock.nanoTime();
      if (hasRoom()) {
        context.ingest().starved(begun - idleSince);
        read();
      } else {
        context.ingest().blocked(begun - idleSince);
        last = null;
        unlabelled = false;
      }
      if (rows == 0) {
        giveBack(); // others may need it until the next tick
      }
      idleSince = clock.nanoTime();
      context.ingest().busy(idleSince - begun);
      work.ask();
    }

    private boolean hasRoom() {
      if (block == null) {
        block = context.pool().tryAcquire(context.epoch(), cursor);
      }
      return block != null && rows < layout.capacityRows();
    }

    private void read() {
      Sample now;
      try {
        if (opened == null) {
          opened = sensors.get();
        }
        now = opened.get();
      } catch (RuntimeException | LinkageError e) {
        fail(e);
        return;
      }
      Sample before = last;
      long nanos = before == null ? 0 : now.nanos() - before.nanos();
      if (before != null && nanos < everyNanos / 2) {
        return; // a tick that came late: the next one is due already
      }
      last = now;
      if (before == null || nanos > LONGEST_TICKS * everyNanos) {
        unlabelled = false;
        return;
      }
      if (unlabelled) {
        write(now.cpuSince(before));
      }
      now.featuresSince(before, features);
      unlabelled = true;
      unlabelledNanos = now.nanos();
    }

    private void write(float label) {
      Block into = block;
      if (into == null) {
        throw new IllegalStateException("no block to write to");
      }
      MemorySegment memory = into.memory();
      for (int i = 0; i < features.length; i++) {
        memory.set(FLOAT, layout.columnOffset(i) + (long) rows * Float.BYTES, features[i]);
      }
      memory.set(FLOAT, layout.labelOffset() + (long) rows * Float.BYTES, label);
      memory.set(LONG, layout.timeOffset() + (long) rows * Long.BYTES, unlabelledNanos);
      memory.set(LONG, layout.rowOffset() + (long) rows * Long.BYTES, nextRow);
      rows++;
      nextRow++;
    }

    private boolean isComplete() {
      return records > 0 && nextRow >= records;
    }

    /** Sends what there is and was asked for, and ends when it is time to. */
    private void advance() {
      if (ended) {
        return;
      }
      if (cancelled) {
        end(() -> {});
        return;
      }
      if (ticking == null) {
        ticking = thread.schedulePeriodically(this::tick, 0, everyNanos, TimeUnit.NANOSECONDS);
      }
      Block full = block;
      if (rows > 0 && full != null && requested.get() > 0) {
        full.seal(rows, nextRow, nextRow, clock.nanoTime());
        context.ingest().passed(rows, (long) rows * (features.length + 1) * Float.BYTES);
        block = null;
        rows = 0;
        produced();
        actual.onNext(full);
      }
      if (isComplete() && rows == 0 && requested.get() > 0) {
        end(
            () -> {
              actual.onNext(new EndOfPartition(context.epoch(), cursor));
              actual.onComplete();
            });
      }
    }

    private void produced() {
      if (requested.get() != Long.MAX_VALUE) {
        requested.decrementAndGet();
      }
    }

    private void fail(Throwable cause) {
      SourceException error =
          new SourceException(
              "source.host: cannot read this machine's sensors (%s)".formatted(cause), cause);
      end(() -> actual.onError(error));
    }

    /** The thread goes last: that interrupts it. */
    private void end(Runnable lastSignal) {
      ended = true;
      if (ticking != null) {
        ticking.dispose();
      }
      giveBack();
      lastSignal.run();
      thread.dispose();
    }

    private void giveBack() {
      if (block != null) {
        block.release();
        block = null;
      }
    }
  }
}
