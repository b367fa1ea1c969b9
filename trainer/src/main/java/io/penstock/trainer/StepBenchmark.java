package io.penstock.trainer;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepShape;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;

/**
 * Times one step (forward, softmax loss, metrics, backward, Adam) over a grid of models and minibatches, on data that is there
 * already; JSON lines in the form of {@code torch_steps.py}. The median of short rounds, so that a busy machine disturbs little.
 */
public final class StepBenchmark {
  private static final int[][] MODELS = {
    {54, 7}, {54, 64, 7}, {54, 256, 128, 7}, {784, 512, 512, 10}
  };
  private static final int[] BATCHES = {32, 256, 1024};
  private static final int SLOTS = 16;
  private static final long WARM_UP_NANOS = 3_000_000_000L;
  private static final long ROUND_NANOS = 20_000_000;
  private static final int ROUNDS = 31;

  private final Device device;
  private final PrintStream out;

  private StepBenchmark(Device device, PrintStream out) {
    this.device = device;
    this.out = out;
  }

  /**
   * Runs the grid.
   *
   * @param threads threads of the device; the cpu device has one
   */
  public static void run(Device device, int threads, PrintStream out) {
    if (threads != 1) {
      throw new IllegalArgumentException(
          "bench steps: threads must be 1 on " + device.name() + " so far, not " + threads);
    }
    StepBenchmark benchmark = new StepBenchmark(device, out);
    for (int[] dims : MODELS) {
      for (int batch : BATCHES) {
        benchmark.run(dims, batch);
      }
    }
  }

  /**
   * Times one step, in nanoseconds.
   *
   * @param warmUpNanos before anything counts
   * @param rounds of some 20 ms each, of which the median is taken
   */
  public static double stepNanos(Device device, StepShape shape, long warmUpNanos, int rounds) {
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(shape.program(), shape.parameters())) {
      return measure(session, shape.slots(memory, SLOTS), warmUpNanos, rounds);
    }
  }

  private void run(int[] dims, int batch) {
    StepShape shape = StepShape.of(dims, batch);
    double nanos = stepNanos(device, shape, WARM_UP_NANOS, ROUNDS);
    out.printf(
        Locale.ROOT,
        "{\"peer\": \"penstock\", \"device\": \"%s\", \"threads\": 1, \"dims\": %s, \"batch\": %d, \"stepMicros\": %.1f, \"gflops\": %.1f}%n",
        device.name(),
        Arrays.toString(dims),
        batch,
        nanos / 1e3,
        shape.operations() / nanos);
    out.flush();
  }

  private static double measure(
      DeviceSession session, Slot[] slots, long warmUpNanos, int roundCount) {
    StepResult result = new StepResult();
    int steps = 1;
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < warmUpNanos) {
      long round = time(session, slots, result, steps);
      steps = (int) Math.clamp(steps * (double) ROUND_NANOS / Math.max(1, round), 1, 100_000);
    }
    double[] rounds = new double[roundCount];
    for (int i = 0; i < roundCount; i++) {
      rounds[i] = (double) time(session, slots, result, steps) / steps;
    }
    Arrays.sort(rounds);
    return rounds[roundCount / 2];
  }

  private static long time(DeviceSession session, Slot[] slots, StepResult result, int steps) {
    long begin = System.nanoTime();
    int ended = 0;
    int submitted = 0;
    while (ended < steps) {
      if (submitted < steps && session.trySubmit(slots[submitted % slots.length])) {
        submitted++;
      }
      if (session.poll(result)) {
        ended++;
      }
    }
    return System.nanoTime() - begin;
  }
}
