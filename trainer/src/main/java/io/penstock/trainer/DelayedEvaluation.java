package io.penstock.trainer;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.State;
import io.penstock.pipeline.Stateful;
import io.penstock.trainer.cpu.ScoringPass;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Evaluation;
import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.RowMetrics;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Evaluates as if labels came a number of rows late, while training goes on as it does: row t is scored with weights that were
 * trained on rows up to t - delay - 1 at most, and its baselines know the labels of rows up to just that one.
 *
 * <p>Weights are those between two minibatches, so that a row's are older than need be by up to a minibatch and its own place in
 * one. They are copied after each minibatch; where minibatches are not full, or very many are late, as soon as there were as many
 * rows as a full one has, and a 1,024th of the delay. The processor scores by them, in float32, whatever device trains. All rows of the stream count, those whose step is not applied
 * too.
 *
 * <p>For the device thread; what it has saved may be released on any.
 */
public final class DelayedEvaluation implements Stateful, AutoCloseable {
  /** What the names of its saved arrays begin with. */
  public static final String SCOPE = "evaluation";

  /** Bytes that the copies of the weights may take. */
  public static final long MOST_BYTES = 1L << 30;

  /** Copies within the delay, so that a checkpoint has no more tensors than can be handled. */
  private static final int MOST_COPIES = 1024;

  private static final String LABELS = "labels";
  private static final String ROWS = "rows";
  private static final String COUNTERS = "counters";
  private static final String VALUES = "values";
  private static final String PARAMETERS = "parameters.";

  private final DeviceSession session;
  private final int delay;
  private final int copyEveryRows;
  private final long copyBytes;
  private final ScoringPass pass;
  private final RowMetrics metrics;
  private final TrainingState state;
  private final LateLabels labels;
  private final ArrayDeque<Copy> waiting = new ArrayDeque<>();

  /** Copies that nobody holds, one behind the other. */
  private final AtomicReference<@Nullable Copy> idle = new AtomicReference<>();

  /** What rows are scored with; the pass has it too. */
  private Copy current;

  /** Rows that came so far. */
  private long rows;

  /** Parameters after a number of rows, never written to while somebody holds them. */
  private static final class Copy {
    final MemorySegment values;
    final AtomicInteger holders = new AtomicInteger();
    long rows;
    @Nullable Copy nextIdle;

    Copy(MemorySegment values) {
      this.values = values;
    }
  }

  /**
   * Begins with the session's weights, which must be those before the first row.
   *
   * @param delay rows, 0 or more
   * @throws IllegalArgumentException as {@link #requireMemory} does
   */
  public DelayedEvaluation(DeviceSession session, int delay) {
    Program program = session.program();
    requireMemory(program, delay);
    this.session = session;
    this.delay = delay;
    copyEveryRows = copyEveryRows(program, delay);
    copyBytes = (long) program.size(Region.PARAMETERS) * Float.BYTES;
    MetricsSpec spec = late(program.metrics());
    metrics = new RowMetrics(spec);
    state = new TrainingState(spec);
    labels = new LateLabels(spec.classes(), delay);
    pass = new ScoringPass(program);
    current = copy();
    pass.load(current.values);
  }

  /**
   * Refuses a delay that takes too many copies of the weights.
   *
   * @throws IllegalArgumentException where it does, with the settings that may change it
   */
  public static void requireMemory(Program program, int delay) {
    // Those waiting to be old enough, the one in use, and the one that is being made.
    int copies = Math.ceilDiv(delay, copyEveryRows(program, delay)) + 2;
    long bytes = (long) copies * program.size(Region.PARAMETERS) * Float.BYTES;
    if (delay > 0 && bytes > MOST_BYTES) {
      throw new IllegalArgumentException(
          ("evaluation.labelDelay: %d rows late are %d copies of the weights at batch.size %d, and %d MiB;"
                  + " they may take %d MiB: choose a smaller evaluation.labelDelay, or a larger batch.size")
              .formatted(
                  delay, copies, program.layout().capacityRows(), bytes >> 20, MOST_BYTES >> 20));
    }
  }

  private static int copyEveryRows(Program program, int delay) {
    return Math.max(program.layout().capacityRows(), Math.ceilDiv(delay, MOST_COPIES));
  }

  private static MetricsSpec late(MetricsSpec spec) {
    return new MetricsSpec(spec.classes(), spec.window(), true);
  }

  /** Scores the minibatch that is to be submitted next; no step may be in flight. */
  void score(Slot slot) {
    boolean judged = Double.isFinite(pass.run(slot));
    int count = slot.validRows();
    for (int row = 0; row < count; row++) {
      if (judged && slot.weight(row) != 0) {
        float label = slot.label(row);
        metrics.score(
            state,
            label,
            pass.prediction(row),
            pass.score(row),
            pass.loss(row),
            labels.noChange(),
            labels.constant());
        labels.add(label);
      } else {
        labels.add(Float.NaN);
      }
    }
  }

  /** Says that the step of the minibatch scored last has ended, however it did. */
  void ended(int count) {
    rows += count;
    Copy newest = waiting.isEmpty() ? current : waiting.getLast();
    if (rows - newest.rows >= copyEveryRows) {
      waiting.addLast(copy());
    }
    moveOn();
  }

  /** The newest weights that are old enough. */
  private void moveOn() {
    Copy before = current;
    for (Copy next = waiting.peekFirst();
        next != null && next.rows <= rows - delay;
        next = waiting.peekFirst()) {
      release(current);
      current = waiting.removeFirst();
    }
    if (current != before) {
      pass.load(current.values);
    }
  }

  private Copy copy() {
    Copy copy = taken();
    session.read(Region.PARAMETERS, copy.values);
    copy.rows = rows;
    return copy;
  }

  private Copy taken() {
    Copy free = idle.get();
    // Nobody but this thread takes any, so that the one behind stays there.
    while (free != null && !idle.compareAndSet(free, free.nextIdle)) {
      free = idle.get();
    }
    Copy copy = free == null ? new Copy(Arena.ofAuto().allocate(copyBytes, Long.BYTES)) : free;
    copy.holders.set(1);
    return copy;
  }

  /** Any thread. */
  private void release(Copy copy) {
    if (copy.holders.decrementAndGet() == 0) {
      do {
        copy.nextIdle = idle.get();
      } while (!idle.compareAndSet(copy.nextIdle, copy));
    }
  }

  /** The metrics so far. */
  Evaluation evaluation() {
    return state.evaluation();
  }

  /** The metrics of a cut of a run whose labels came late. */
  public static Evaluation evaluation(State cut, MetricsSpec spec) {
    State saved = cut.scope(SCOPE);
    TrainingState metrics = new TrainingState(late(spec));
    metrics.set(saved.longs(COUNTERS), saved.doubles(VALUES));
    return metrics.evaluation();
  }

  /** Writes metrics, labels and weights that wait; the weights stay where they are until the state is released. */
  @Override
  public void save(State cut) {
    State to = cut.scope(SCOPE);
    to.put(COUNTERS, state.counters());
    to.put(VALUES, state.values());
    labels.save(to.scope(LABELS));
    long[] ages = new long[2 + waiting.size()];
    ages[0] = rows;
    int at = 1;
    ages[at] = current.rows;
    hold(current, to, at++);
    for (Copy copy : waiting) {
      ages[at] = copy.rows;
      hold(copy, to, at++);
    }
    to.put(ROWS, ages);
  }

  private void hold(Copy copy, State to, int number) {
    copy.holders.incrementAndGet();
    to.onRelease(() -> release(copy));
    to.put(
        PARAMETERS + number,
        new State.Matrix(copy.values, 1, Math.toIntExact(copyBytes / Float.BYTES)));
  }

  @Override
  public void restore(State cut) {
    State from = cut.scope(SCOPE);
    state.set(from.longs(COUNTERS), from.doubles(VALUES));
    labels.restore(from.scope(LABELS));
    release(current);
    waiting.forEach(this::release);
    waiting.clear();
    long[] ages = from.longs(ROWS);
    rows = ages[0];
    current = saved(from, 1, ages[1]);
    for (int i = 2; i < ages.length; i++) {
      waiting.addLast(saved(from, i, ages[i]));
    }
    pass.load(current.values);
  }

  private Copy saved(State from, int number, long age) {
    Copy copy = taken();
    copy.values.copyFrom(MemorySegment.ofArray(from.floats(PARAMETERS + number)));
    copy.rows = age;
    return copy;
  }

  @Override
  public void close() {
    pass.close();
  }
}
