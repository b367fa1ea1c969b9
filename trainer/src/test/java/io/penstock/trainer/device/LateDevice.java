package io.penstock.trainer.device;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Random;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The proof of the slots' contract without a GPU: another device's steps run on a thread of its own, each up to some steps late
 * (a step is held back until so many others have been submitted, or until polls show that none will come), and what the device
 * has read of a slot is overwritten with NaN as its step is reported. So a slot that is freed or filled too early ruins the
 * weights.
 */
public final class LateDevice implements Device {
  /** Polls without a new submission after which a step is no longer held back. */
  private static final int PATIENCE_POLLS = 3;

  private final Device device;
  private final int maxLate;
  private final long seed;

  /**
   * Wraps {@code device}.
   *
   * @param maxLate steps that may be submitted after one before it runs
   * @param seed of how late each step is
   */
  public LateDevice(Device device, int maxLate, long seed) {
    this.device = device;
    this.maxLate = maxLate;
    this.seed = seed;
  }

  @Override
  public String name() {
    return "late-" + device.name();
  }

  @Override
  public String description() {
    return device.description() + ", up to " + maxLate + " steps late";
  }

  @Override
  public SlotMemory slotMemory() {
    return device.slotMemory();
  }

  @Override
  public DeviceSession open(Program program, float[] parameters) {
    return new LateSession(device.open(program, parameters), maxLate, new Random(seed));
  }

  private static final class LateSession implements DeviceSession {
    private final DeviceSession session;
    private final int maxLate;
    private final Random random;
    private final Thread thread = Thread.ofPlatform().name("late-device").unstarted(this::run);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Slot> waiting = new ArrayDeque<>();
    private final ArrayDeque<Ended> ended = new ArrayDeque<>();
    private final TrainingState lastState;
    private int inFlight;
    private int late;
    private int idlePolls;
    private boolean closed;
    private @Nullable RuntimeException failure;

    private record Ended(Slot slot, StepResult result) {}

    LateSession(DeviceSession session, int maxLate, Random random) {
      this.session = session;
      this.maxLate = maxLate;
      this.random = random;
      lastState = new TrainingState(session.program().metrics());
      late = random.nextInt(maxLate + 1);
      thread.start();
    }

    @Override
    public Program program() {
      return session.program();
    }

    @Override
    public boolean trySubmit(Slot slot) {
      lock.lock();
      try {
        check();
        if (inFlight > maxLate) {
          return false;
        }
        inFlight++;
        waiting.add(slot);
        idlePolls = 0;
        changed.signalAll();
        return true;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean poll(StepResult result) {
      lock.lock();
      try {
        check();
        Ended next = ended.poll();
        if (next == null) {
          idlePolls++;
          changed.signalAll();
          return false;
        }
        inFlight--;
        result.set(next.result());
        poison(next.slot());
        return true;
      } finally {
        lock.unlock();
      }
    }

    private void check() {
      if (failure != null) {
        throw new IllegalStateException("late device: its thread failed", failure);
      }
    }

    private void run() {
      try {
        Slot slot = next();
        while (slot != null) {
          StepResult result = new StepResult();
          if (!session.trySubmit(slot)) {
            throw new IllegalStateException("late device: the wrapped device takes no slot");
          }
          while (!session.poll(result)) {
            Thread.onSpinWait();
          }
          finish(slot, result);
          slot = next();
        }
      } catch (RuntimeException e) {
        lock.lock();
        try {
          failure = e;
        } finally {
          lock.unlock();
        }
      }
    }

    /** Waits until the oldest step is late enough; null when closed. */
    private @Nullable Slot next() {
      lock.lock();
      try {
        while (!closed
            && (waiting.isEmpty() || (waiting.size() <= late && idlePolls < PATIENCE_POLLS))) {
          changed.awaitUninterruptibly();
        }
        late = random.nextInt(maxLate + 1);
        return waiting.poll();
      } finally {
        lock.unlock();
      }
    }

    private void finish(Slot slot, StepResult result) {
      lock.lock();
      try {
        session.read(lastState);
        ended.add(new Ended(slot, result));
      } finally {
        lock.unlock();
      }
    }

    /** All that a device copies, but the header: the trainer reads it until it frees the slot. */
    private static void poison(Slot slot) {
      for (long at = SlotLayout.HEADER_BYTES; at < slot.layout().deviceBytes(); at += Float.BYTES) {
        slot.memory().set(ValueLayout.JAVA_FLOAT, at, Float.NaN);
      }
    }

    @Override
    public void read(Region region, MemorySegment to) {
      requireIdle();
      session.read(region, to);
    }

    @Override
    public void write(Region region, float[] from) {
      requireIdle();
      session.write(region, from);
    }

    @Override
    public void read(TrainingState to) {
      lock.lock();
      try {
        to.set(lastState);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void write(TrainingState from) {
      requireIdle();
      session.write(from);
      lastState.set(from);
    }

    private void requireIdle() {
      lock.lock();
      try {
        if (inFlight > 0) {
          throw new IllegalStateException("late device: " + inFlight + " steps are in flight");
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        closed = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      session.close();
    }
  }
}
