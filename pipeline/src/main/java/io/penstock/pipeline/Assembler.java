package io.penstock.pipeline;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;

/**
 * Cuts the stream of blocks into minibatches and writes them into the slots of the ring, of which it is the one producer.
 *
 * <p>It runs on the pipeline thread, where the stream must be published, too. It holds one item at a time and asks for the
 * next only when that is used up: so demand ends here when the ring is full, and begins here when the device thread has
 * released slots and woken it. It never waits.
 */
public final class Assembler implements CoreSubscriber<StreamItem>, Stateful {
  /** The assembler's part of a saved state: where a barrier's cut has it. */
  public static final String SCOPE = "assembler";

  private final FeaturePlan plan;

  /** What the weight of each class's rows is multiplied by; empty where that is 1. */
  private final float[] classWeights;

  private final SlotRing ring;
  private final SlotLayout layout;
  private final EpochNanoClock clock;
  private final StageMeter meter;
  private final Scheduler.Worker worker;
  private final Duration maxDelay;
  private final long maxRows;
  private final AtomicBoolean waiting = new AtomicBoolean();

  private @Nullable Subscription upstream;
  private @Nullable StreamItem item;
  private int itemRow;
  private boolean ended;
  private long waitingSince;

  private @Nullable Slot slot;
  private int fill;
  private double weightSum;
  private long fillBegan;

  private long sequence;
  private long rows;

  private boolean cutShort;

  /** A restored minibatch that has no slot yet: the ring wants one thread to claim all of them. */
  private byte @Nullable [] restored;

  private volatile boolean finished;
  private volatile boolean exhausted;
  private volatile @Nullable Throwable failure;
  private volatile long acceptedRows;

  /**
   * @param worker of the pipeline thread
   * @param maxDelay how long the first row of a minibatch waits for the rest; zero: for ever
   * @param maxRows rows after which the stream is cancelled; what the minibatch holds then is its last
   */
  public Assembler(
      FeaturePlan plan,
      SlotRing ring,
      Scheduler.Worker worker,
      Duration maxDelay,
      long maxRows,
      EpochNanoClock clock,
      StageMeter meter) {
    if (ring.layout().features() != plan.features()) {
      throw new IllegalArgumentException(
          "assembler: slots hold %d features but the plan makes %d"
              .formatted(ring.layout().features(), plan.features()));
    }
    this.plan = plan;
    List<Double> weights = plan.schema().label().classWeights();
    classWeights = new float[weights.size()];
    for (int c = 0; c < classWeights.length; c++) {
      classWeights[c] = weights.get(c).floatValue();
    }
    this.ring = ring;
    this.layout = ring.layout();
    this.worker = worker;
    this.maxDelay = maxDelay;
    this.maxRows = maxRows;
    this.clock = clock;
    this.meter = meter;
    ring.onRelease(this::wake);
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    if (Operators.validate(upstream, subscription)) {
      upstream = subscription;
      if (!maxDelay.isZero()) {
        long period = Math.max(maxDelay.toNanos() / 8, TimeUnit.MILLISECONDS.toNanos(1));
        worker.schedulePeriodically(this::flushLate, period, period, TimeUnit.NANOSECONDS);
      }
      subscription.request(1);
    }
  }

  @Override
  public void onNext(StreamItem next) {
    if (finished) {
      discard(next, new IllegalStateException("the stream has ended"));
      return;
    }
    item = next;
    itemRow = 0;
    drain();
  }

  @Override
  public void onError(Throwable error) {
    failure = error;
    onComplete();
  }

  @Override
  public void onComplete() {
    ended = true;
    if (item == null) {
      drain();
    }
  }

  /** Stops taking rows: what is held but not in a published slot is given back untrained. Any thread. */
  public void stop() {
    try {
      worker.schedule(
          () -> {
            cancel();
            finished = true;
          });
    } catch (RejectedExecutionException e) {
      finished = true; // its thread has ended, and holds nothing any more
    }
  }

  /** Whether everything there was has been published. */
  public boolean finished() {
    return finished;
  }

  /** Whether the stream has ended by itself and every row of it has been published. */
  public boolean exhausted() {
    return exhausted;
  }

  /** Why the stream broke off. */
  public @Nullable Throwable failure() {
    return failure;
  }

  /** Rows taken from the stream so far, those of the unfinished minibatch included. */
  public long acceptedRows() {
    return acceptedRows;
  }

  private void drain() {
    long began = clock.nanoTime();
    boolean used = useItemOrFail();
    acceptedRows = rows;
    meter.busy(clock.nanoTime() - began);
    if (used && !ended && rows < maxRows && !finished) {
      Objects.requireNonNull(upstream).request(1);
    }
  }

  /** A fault here ends the stream: who sends it could do nothing about it, and the trainer must not wait for more. */
  private boolean useItemOrFail() {
    try {
      return useItem();
    } catch (RuntimeException | Error e) {
      failure = e;
      finished = true;
      cancel();
      return false;
    }
  }

  /** Moves on as far as there are rows and slots; false where it waits for a slot. */
  private boolean useItem() {
    takeUpRestored();
    switch (item) {
      case null -> {}
      case Block block -> {
        if (!use(block)) {
          return false;
        }
      }
      case Barrier barrier -> {
        if (!use(barrier)) {
          return false;
        }
        item = null;
        if (barrier.last()) {
          finished = true;
          cancel();
          return true;
        }
      }
      case EndOfPartition _ -> item = null;
    }
    boolean enough = rows == maxRows && !finished;
    if (ended || enough) {
      if (fill > 0) {
        publish();
      }
      exhausted = ended && !cutShort && failure == null;
      finished = true;
    }
    if (enough) {
      // Last: whoever sends may notice at once, and must find that the end was meant.
      cancel();
    }
    return true;
  }

  private boolean use(Block block) {
    int end = (int) Math.min(block.rows(), itemRow + maxRows - rows);
    while (itemRow < end) {
      Slot target = slot == null ? claim() : slot;
      if (target == null) {
        return false;
      }
      int count = Math.min(end - itemRow, layout.capacityRows() - fill);
      if (fill == 0) {
        fillBegan = clock.nanoTime();
      }
      copy(block, itemRow, count, target);
      itemRow += count;
      fill += count;
      rows += count;
      if (fill == layout.capacityRows()) {
        publish();
      }
    }
    cutShort |= end < block.rows();
    meter.passed(end, 0);
    item = null;
    block.release();
    return true;
  }

  private @Nullable Slot claim() {
    Slot claimed = tryClaimOrWait();
    slot = claimed;
    return claimed;
  }

  private @Nullable Slot tryClaimOrWait() {
    Slot claimed = ring.tryClaim();
    if (claimed == null) {
      waitingSince = clock.nanoTime();
      waiting.set(true);
      // A slot may have been released just before: then nobody would wake us.
      claimed = ring.tryClaim();
      if (claimed != null) {
        waiting.set(false);
      }
    }
    return claimed;
  }

  /** Device thread, after each release. Wakes when half the ring is free: once for many slots, not once for each. */
  private void wake() {
    if (waiting.get()
        && ring.fill() <= ring.capacitySlots() / 2
        && waiting.compareAndSet(true, false)) {
      worker.schedule(this::resume);
    }
  }

  private void resume() {
    if (item != null && !finished) {
      meter.blocked(clock.nanoTime() - waitingSince);
      drain();
    }
  }

  private void copy(Block block, int from, int count, Slot target) {
    BlockLayout source = block.layout();
    BlockSchema schema = source.schema();
    MemorySegment in = block.memory();
    MemorySegment out = target.memory();
    plan.write(block, from, count, out, layout, fill);
    floats(in, source.labelOffset(), from, count, out, layout.labelOffset());
    if (schema.weighted()) {
      floats(in, source.weightOffset(), from, count, out, layout.weightOffset());
    } else {
      Values.fillFloat(out, layout.weightOffset(), fill, fill + count, 1);
    }
    if (classWeights.length > 0) {
      weighClasses(out, fill, fill + count);
    }
    if (schema.weighted() || classWeights.length > 0) {
      for (int row = fill; row < fill + count; row++) {
        weightSum += Values.getFloat(out, layout.weightOffset(), row);
      }
    } else {
      weightSum += count;
    }
    Values.fillLong(out, layout.partitionOffset(), fill, fill + count, block.cursor().key());
    longs(in, source.rowOffset(), from, count, out, layout.rowOffset());
    if (schema.timed()) {
      longs(in, source.timeOffset(), from, count, out, layout.timeOffset());
    } else {
      Values.fillLong(out, layout.timeOffset(), fill, fill + count, block.arrivalNanos());
    }
  }

  private void weighClasses(MemorySegment out, int from, int to) {
    long weights = layout.weightOffset();
    for (int row = from; row < to; row++) {
      int label = (int) Values.getFloat(out, layout.labelOffset(), row);
      Values.setFloat(out, weights, row, Values.getFloat(out, weights, row) * classWeights[label]);
    }
  }

  private void floats(
      MemorySegment in, long offset, int from, int count, MemorySegment out, long to) {
    Values.copyFloats(in, offset, from, count, out, to, fill);
  }

  private void longs(
      MemorySegment in, long offset, int from, int count, MemorySegment out, long to) {
    MemorySegment.copy(in, offset + 8L * from, out, to + 8L * fill, (long) count * Long.BYTES);
  }

  private void publish() {
    Slot full = Objects.requireNonNull(slot);
    pad(full);
    full.header(fill, sequence++, weightSum);
    slot = null;
    fill = 0;
    weightSum = 0;
    ring.publish();
  }

  /** Rows behind the last real one are zero: features, label and weight. */
  private void pad(Slot target) {
    if (fill < layout.capacityRows()) {
      for (int f = 0; f < layout.features() + 2; f++) {
        Values.fillFloat(target.memory(), layout.featureOffset(f), fill, layout.capacityRows(), 0);
      }
    }
  }

  private void flushLate() {
    takeUpRestored();
    if (fill > 0 && !finished && clock.nanoTime() - fillBegan >= maxDelay.toNanos()) {
      publish();
    }
  }

  /**
   * A barrier takes a slot of its own, before the rows of the unfinished minibatch: these are moved one slot on and become part
   * of the saved state, untrained.
   */
  private boolean use(Barrier barrier) {
    Slot unfinished = slot;
    Slot claimed = tryClaimOrWait();
    if (claimed == null) {
      return false;
    }
    Slot control = claimed;
    if (unfinished != null) {
      MemorySegment.copy(unfinished.memory(), 0, claimed.memory(), 0, layout.byteSize());
      control = unfinished;
      slot = claimed;
    }
    if (barrier.back() == null) {
      save(barrier.state().scope(SCOPE));
    }
    control.barrier(barrier);
    ring.publish();
    return true;
  }

  /** Writes what is not published yet. When the stream has ended, or at a barrier. */
  @Override
  public void save(State state) {
    state.put("counts", sequence, rows, fill);
    state.put("weightSum", weightSum);
    Slot unfinished = slot;
    state.put(
        "slot",
        unfinished == null ? new byte[0] : unfinished.memory().toArray(ValueLayout.JAVA_BYTE));
  }

  /** Rows in a cut that operators have seen, and the trainer has not. */
  public static long unfinishedRows(State cut) {
    return cut.scope(SCOPE).longs("counts")[2];
  }

  /** Before the first item, while the ring is empty. */
  @Override
  public void restore(State state) {
    long[] counts = state.longs("counts");
    sequence = counts[0];
    rows = counts[1];
    acceptedRows = rows;
    fill = (int) counts[2];
    weightSum = state.doubles("weightSum")[0];
    if (fill > 0) {
      restored = state.bytes("slot");
      fillBegan = clock.nanoTime();
    }
  }

  private void takeUpRestored() {
    byte[] bytes = restored;
    if (bytes != null) {
      restored = null;
      Slot unfinished = Objects.requireNonNull(claim(), "the ring is empty");
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, unfinished.memory(), 0, bytes.length);
    }
  }

  private void cancel() {
    if (upstream != null) {
      upstream.cancel();
    }
    StreamItem held = item;
    item = null;
    if (held != null) {
      discard(held, new CancellationException("the run was stopped"));
    }
  }

  /** Gives back what an item holds: for items that will not be used. */
  public static void discard(StreamItem item, Throwable why) {
    switch (item) {
      case Block block -> block.release();
      case Barrier barrier -> barrier.abandon(why);
      case EndOfPartition _ -> {}
    }
  }
}
