package io.penstock.pipeline;

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * The ring of slots between the assembler (its one producer) and the device thread (its one consumer), on the LMAX Disruptor.
 * Neither ever waits in here: the assembler claims with {@link #tryClaim}, the device thread looks at {@link #published}.
 *
 * <p>{@code BatchEventProcessor} would free a slot when its handler returns, too early for asynchronous copies. So the
 * consumer has a sequence of its own that gates the ring, and moves it ({@link #release}) only when the compute event that
 * last read a slot has happened.
 */
public final class SlotRing implements AutoCloseable {
  private final RingBuffer<Slot> ring;
  private final SlotMemory memory;
  private final SlotLayout layout;
  private final Sequence released = new Sequence();
  private Runnable onRelease = () -> {};

  /**
   * @param slots a power of two, at least 2
   */
  public SlotRing(int slots, SlotLayout layout, SlotMemory memory) {
    if (slots < 2 || Integer.bitCount(slots) != 1) {
      throw new IllegalArgumentException("ring: slots must be a power of two from 2, not " + slots);
    }
    this.layout = layout;
    this.memory = memory;
    ring =
        RingBuffer.createSingleProducer(
            () -> new Slot(layout, memory.allocate(layout.byteSize())),
            slots,
            // Nobody waits on this strategy: both sides poll.
            new BusySpinWaitStrategy());
    ring.addGatingSequences(released);
  }

  public SlotLayout layout() {
    return layout;
  }

  public int capacitySlots() {
    return ring.getBufferSize();
  }

  /**
   * Producer: the next free slot, claimed for filling; null where all are taken. A second one may be claimed before the first
   * is published; they are published in order.
   */
  @Nullable Slot tryClaim() {
    if (!ring.hasAvailableCapacity(1)) {
      return null;
    }
    Slot slot = ring.get(ring.next());
    slot.barrier(null);
    return slot;
  }

  /** Producer: publishes the first of the slots claimed. */
  void publish() {
    ring.publish(ring.getCursor() + 1);
  }

  /** Sequence of the newest published slot; -1 before the first. */
  public long published() {
    return ring.getCursor();
  }

  /** Consumer: the slot of a published sequence. */
  public Slot get(long sequence) {
    return ring.get(sequence);
  }

  /** Consumer: all slots up to {@code sequence} have been read for the last time. */
  public void release(long sequence) {
    // Volatile, not ordered. The assembler says that it waits, then looks for a free slot; this
    // thread frees one, then looks whether somebody waits. An ordered store could be seen after
    // that look, and nobody would wake up (found by jcstress).
    released.setVolatile(sequence);
    onRelease.run();
  }

  /** Sequence of the last slot that is free again. */
  public long released() {
    return released.get();
  }

  /** Slots that are published or being read. */
  public int fill() {
    return (int) (ring.getCursor() - released.get());
  }

  /** Set once, before the run: called on the device thread after each release; must not wait. */
  void onRelease(Runnable wake) {
    onRelease = wake;
  }

  /** Frees the slots. Whoever waits for a cut whose barrier nobody has passed is told; both sides have ended. */
  @Override
  public void close() {
    for (long sequence = released.get() + 1; sequence <= ring.getCursor(); sequence++) {
      Barrier barrier = ring.get(sequence).barrier();
      if (barrier != null) {
        barrier.abandon(new CancellationException("the run was stopped"));
      }
    }
    memory.close();
  }
}
