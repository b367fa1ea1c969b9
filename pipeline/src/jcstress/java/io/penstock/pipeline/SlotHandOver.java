package io.penstock.pipeline;

import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/**
 * The hand-over of slots between the assembler and the device thread, at the moment that matters: the ring is full, a row
 * arrives, and slots are released. In whichever order, the row must reach the device with its value, and the assembler must
 * not sleep on with a slot free.
 */
@JCStressTest
@Outcome(
    id = "42, 1",
    expect = Expect.ACCEPTABLE,
    desc = "The row was handed over and the next one asked for.")
@Outcome(expect = Expect.FORBIDDEN, desc = "A lost wake-up, or a slot read before it was written.")
@State
public class SlotHandOver {
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(new Column("x", Kind.NUMBER, false)), new Label("y", 0, List.of()), "", "");
  private static final BlockLayout LAYOUT = new BlockLayout(SCHEMA, 1);
  private static final PartitionCursor CURSOR = new PartitionCursor(0, 0, 0, 0);

  private final Tasks tasks = new Tasks();
  private final BlockPool pool = new BlockPool(LAYOUT, 4 * LAYOUT.byteSize());
  private final SlotRing ring = new SlotRing(2, SlotLayout.of(1, 1), new OnHeap());
  private final Assembler assembler =
      new Assembler(
          new FeaturePlan(SCHEMA, List.of()),
          ring,
          tasks,
          Duration.ZERO,
          Long.MAX_VALUE,
          () -> 0,
          new StageMeter("assembler"));
  private final Block last;
  private int requested;

  /** Fills the ring: two slots of one row. */
  public SlotHandOver() {
    assembler.onSubscribe(
        new Subscription() {
          @Override
          public void request(long n) {
            requested++;
          }

          @Override
          public void cancel() {}
        });
    assembler.onNext(row(40));
    assembler.onNext(row(41));
    last = row(42);
    requested = 0;
  }

  private Block row(float value) {
    Block block = pool.tryAcquire(0, CURSOR);
    if (block == null) {
      throw new IllegalStateException("pool is empty");
    }
    Values.setFloat(block.memory(), LAYOUT.columnOffset(0), 0, value);
    block.seal(1, 1, 1, 0);
    return block;
  }

  /** The pipeline thread. */
  @Actor
  public void assemble() {
    assembler.onNext(last);
  }

  /** The device thread. */
  @Actor
  public void train() {
    ring.release(0);
    ring.release(1);
  }

  /** What the pipeline thread was woken for, then what the device finds. */
  @Arbiter
  public void look(II_Result result) {
    tasks.run();
    result.r1 =
        ring.published() < 2
            ? -1
            : (int) Values.getFloat(ring.get(2).memory(), ring.layout().featureOffset(0), 0);
    result.r2 = requested;
    pool.close();
  }

  /** A worker whose tasks wait for the arbiter. */
  private static final class Tasks implements Scheduler.Worker {
    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();

    @Override
    public Disposable schedule(Runnable task) {
      queue.add(task);
      return Disposables.disposed();
    }

    void run() {
      queue.forEach(Runnable::run);
    }

    @Override
    public void dispose() {}
  }

  /** Slots on the heap: there are millions of rings. */
  private static final class OnHeap implements SlotMemory {
    @Override
    public MemorySegment allocate(long bytes) {
      return MemorySegment.ofArray(new long[(int) (bytes / Long.BYTES)]);
    }

    @Override
    public void close() {}
  }
}
