package io.penstock.trainer;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

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

  /** Times one model at one size of minibatch, in nanoseconds a step. */
  static double stepNanos(Device device, int[] dims, int batch) {
    Program program = program(dims, batch);
    ModelSpec spec = spec(dims);
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, InitialParameters.of(spec, 1))) {
      Slot[] slots = new Slot[SLOTS];
      Random random = new Random(1);
      for (int i = 0; i < SLOTS; i++) {
        slots[i] = slot(program.layout(), memory, spec.classes(), random);
      }
      return measure(session, slots);
    }
  }

  private void run(int[] dims, int batch) {
    double nanos = stepNanos(device, dims, batch);
    double operations = 0;
    for (int i = 0; i + 1 < dims.length; i++) {
      operations += 6.0 * batch * dims[i] * dims[i + 1];
    }
    out.printf(
        Locale.ROOT,
        "{\"peer\": \"penstock\", \"device\": \"%s\", \"threads\": 1, \"dims\": %s, \"batch\": %d, \"stepMicros\": %.1f, \"gflops\": %.1f}%n",
        device.name(),
        Arrays.toString(dims),
        batch,
        nanos / 1e3,
        operations / nanos);
    out.flush();
  }

  private static double measure(DeviceSession session, Slot[] slots) {
    StepResult result = new StepResult();
    int steps = 1;
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < WARM_UP_NANOS) {
      long round = time(session, slots, result, steps);
      steps = (int) Math.clamp(steps * (double) ROUND_NANOS / Math.max(1, round), 1, 100_000);
    }
    double[] rounds = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rounds[i] = (double) time(session, slots, result, steps) / steps;
    }
    Arrays.sort(rounds);
    return rounds[ROUNDS / 2];
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

  private static Program program(int[] dims, int batch) {
    return Lowering.lower(spec(dims), SlotLayout.of(batch, dims[0]), 1000);
  }

  private static ModelSpec spec(int[] dims) {
    List<Integer> hidden = Arrays.stream(dims, 1, dims.length - 1).boxed().toList();
    int classes = dims[dims.length - 1];
    return ModelSpec.of(
        new ModelConfig.Mlp(hidden, ModelConfig.Activation.RELU),
        new LossConfig.Softmax(),
        new OptimizerConfig.Adam(1e-3, 0.9, 0.999, 1e-8, 0),
        new LabelConfig("label", LabelType.CLASS, classes, List.of()),
        dims[0]);
  }

  private static Slot slot(SlotLayout layout, SlotMemory memory, int classes, Random random) {
    MemorySegment data = memory.allocate(layout.byteSize());
    for (int row = 0; row < layout.capacityRows(); row++) {
      long at = (long) row * Float.BYTES;
      for (int feature = 0; feature < layout.features(); feature++) {
        data.set(JAVA_FLOAT, layout.featureOffset(feature) + at, (float) random.nextGaussian());
      }
      data.set(JAVA_FLOAT, layout.labelOffset() + at, random.nextInt(classes));
      data.set(JAVA_FLOAT, layout.weightOffset() + at, 1f);
    }
    data.set(little(ValueLayout.JAVA_INT), SlotLayout.VALID_ROWS_OFFSET, layout.capacityRows());
    data.set(little(ValueLayout.JAVA_LONG), SlotLayout.SEQUENCE_OFFSET, 0);
    data.set(little(ValueLayout.JAVA_DOUBLE), SlotLayout.WEIGHT_SUM_OFFSET, layout.capacityRows());
    return new Slot(layout, data);
  }

  private static ValueLayout.OfInt little(ValueLayout.OfInt value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }

  private static ValueLayout.OfLong little(ValueLayout.OfLong value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }

  private static ValueLayout.OfDouble little(ValueLayout.OfDouble value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }
}
