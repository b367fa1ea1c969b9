package io.penstock.trainer.cuda;

import io.penstock.config.Precision;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepShape;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Times a step on a GPU by the GPU's own clock: everything is measured between events on the streams, nothing by the host's. One
 * step of one shape; to be closed. Not thread-safe.
 */
public final class CudaBenchmark implements AutoCloseable {
  private static final int SLOTS = 16;
  private static final int TWINS = 3;
  private static final int WARM_UP_STEPS = 20;
  private static final int MOST_STEPS = 2_000;

  /** Steps whose copies and computing are looked at one by one: four events each. */
  private static final int TRACED_STEPS = 200;

  private final int ordinal;
  private final StepShape shape;
  private final SlotMemory memory;
  private final CudaSession session;
  private final CudaContext context;
  private final Slot[] slots;
  private final long slotBytes;
  private final long begin;
  private final long end;
  private final StepResult result = new StepResult();
  private int roundSteps;

  /** Four events a step, made when first needed. */
  private final List<long[]> marks = new ArrayList<>();

  private CudaBenchmark(int ordinal, StepShape shape, SlotMemory memory, CudaSession session) {
    this.ordinal = ordinal;
    this.shape = shape;
    this.memory = memory;
    this.session = session;
    context = session.context();
    slots = shape.slots(memory, SLOTS);
    slotBytes = session.program().layout().deviceBytes();
    begin = context.timedEvent();
    end = context.timedEvent();
  }

  /**
   * Readies a step.
   *
   * @param ordinal of the GPU
   * @param roundMicros how long each measured round is to take, about
   * @throws IllegalStateException where the GPU cannot be used, with every reason found
   */
  public static CudaBenchmark open(
      int ordinal, StepShape shape, Precision precision, double roundMicros) {
    CudaDevice device = CudaDevice.of(ordinal, precision, Planning.ofProperty(), TWINS);
    SlotMemory memory = device.slotMemory();
    try {
      CudaSession session = (CudaSession) device.open(shape.program(), shape.parameters());
      try {
        CudaBenchmark benchmark = new CudaBenchmark(ordinal, shape, memory, session);
        benchmark.warmUp(roundMicros);
        return benchmark;
      } catch (RuntimeException e) {
        session.close();
        throw e;
      }
    } catch (RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  private void warmUp(double roundMicros) {
    roundSteps = WARM_UP_STEPS;
    streamedMicros();
    double micros = streamedMicros();
    roundSteps = (int) Math.clamp(roundMicros / Math.max(micros, 0.1), 4.0 * TWINS, MOST_STEPS);
  }

  /** What is being timed. */
  public StepShape shape() {
    return shape;
  }

  /** Bytes that each step copies. */
  public long slotBytes() {
    return slotBytes;
  }

  /** Microseconds a step in a round as training has it: slots, filled already, through the session's own calls. */
  public double streamedMicros() {
    context.use();
    Cuda.eventRecord(begin, session.computeStream());
    int submitted = 0;
    int ended = 0;
    while (ended < roundSteps) {
      if (submitted < roundSteps && session.trySubmit(slots[submitted % slots.length])) {
        submitted++;
        if (submitted == roundSteps) {
          Cuda.eventRecord(end, session.computeStream());
        }
      }
      if (session.poll(result)) {
        requireApplied();
        ended++;
      }
    }
    return elapsed(begin, end) / roundSteps;
  }

  /** Microseconds a step in a round on minibatches that are on the GPU already. */
  public double residentMicros() {
    context.use();
    long stream = session.computeStream();
    Cuda.eventRecord(begin, stream);
    for (int i = 0; i < roundSteps; i++) {
      Twin twin = session.twin(i);
      await(twin);
      twin.compute(stream);
    }
    Cuda.eventRecord(end, stream);
    return elapsed(begin, end) / roundSteps;
  }

  /**
   * A round of which each copy and each step's computing are timed.
   *
   * @param stepMicros from the end of one step to the end of the next
   * @param computeMicros of a step, without what it waits for
   * @param copyMicros of a slot
   * @param hiddenShare of the copies' time during which some step was computed
   */
  public record Trace(
      double stepMicros, double computeMicros, double copyMicros, double hiddenShare) {}

  /**
   * Traces a round.
   *
   * @param copies whether each step's slot is copied first, or its minibatch is on the GPU already
   */
  public Trace trace(boolean copies) {
    context.use();
    int steps = Math.clamp(roundSteps, 4 * TWINS, TRACED_STEPS);
    while (marks.size() < steps) {
      marks.add(
          new long[] {
            context.timedEvent(), context.timedEvent(), context.timedEvent(), context.timedEvent()
          });
    }
    Cuda.eventRecord(begin, session.computeStream());
    for (int i = 0; i < steps; i++) {
      traceStep(i, copies);
    }
    Cuda.eventRecord(end, session.computeStream());
    elapsed(begin, end);
    double[][] times = new double[4][steps];
    for (int i = 0; i < steps; i++) {
      for (int k = 0; k < 4; k++) {
        times[k][i] = Cuda.elapsedMicros(begin, marks.get(i)[k]);
      }
    }
    Timeline timeline = new Timeline(times[0], times[1], times[2], times[3]);
    return new Trace(
        timeline.stepMicros(TWINS),
        timeline.computeMicros(TWINS),
        timeline.copyMicros(TWINS),
        timeline.hiddenShare(TWINS));
  }

  private void traceStep(int number, boolean copies) {
    long copyStream = session.copyStream();
    long computeStream = session.computeStream();
    long[] mark = marks.get(number);
    Twin twin = session.twin(number);
    await(twin);
    Cuda.eventRecord(mark[0], copyStream);
    if (copies) {
      twin.copy(slots[number % slots.length].memory().address(), slotBytes, copyStream);
    }
    Cuda.eventRecord(mark[1], copyStream);
    if (copies) {
      twin.awaitCopy(computeStream);
    }
    Cuda.eventRecord(mark[2], computeStream);
    twin.compute(computeStream);
    Cuda.eventRecord(mark[3], computeStream);
  }

  /** Microseconds that cuBLASLt takes for the step's products and nothing else, one after the other in a graph. */
  public double productsMicros(Precision precision) {
    try (CudaContext own = new CudaContext(ordinal)) {
      Program program = session.program();
      long stream = own.stream();
      Regions regions = new Regions(own, program, stream);
      long slot = Regions.cleared(own, slotBytes, stream);
      Matmuls matmuls = new Matmuls(own, precision);
      List<Launch> launches = new ArrayList<>();
      for (List<KernelCall> phase : List.of(program.forward(), program.gradient())) {
        for (KernelCall call : phase) {
          if (call instanceof KernelCall.Gemm gemm) {
            launches.add(product(gemm, matmuls, regions, slot));
          }
        }
      }
      launches.forEach(launch -> launch.on(stream));
      Cuda.streamSynchronize(stream);
      long graph = own.graph(stream, () -> launches.forEach(launch -> launch.on(stream)));
      return products(own, graph, stream);
    } finally {
      context.use();
    }
  }

  private double products(CudaContext own, long graph, long stream) {
    long from = own.timedEvent();
    long to = own.timedEvent();
    double micros = 0;
    // The first round only warms up.
    for (int round = 0; round < 2; round++) {
      Cuda.eventRecord(from, stream);
      for (int i = 0; i < roundSteps; i++) {
        Cuda.graphLaunch(graph, stream);
      }
      Cuda.eventRecord(to, stream);
      Cuda.streamSynchronize(stream);
      micros = Cuda.elapsedMicros(from, to) / roundSteps;
    }
    return micros;
  }

  private Launch product(KernelCall.Gemm call, Matmuls matmuls, Regions regions, long slot) {
    Matrix sum = call.input() == null ? call.c() : call.input();
    return matmuls.multiply(
        operand(call.a(), regions, slot),
        call.transposeA(),
        operand(call.b(), regions, slot),
        call.transposeB(),
        operand(sum, regions, slot));
  }

  private Matmuls.Operand operand(Matrix matrix, Regions regions, long slot) {
    long base = matrix.region() == Region.SLOT ? slot : regions.address(matrix.region());
    return new Matmuls.Operand(
        base + matrix.offset() * Float.BYTES,
        matrix.rows(),
        matrix.columns(shape.batch()),
        matrix.stride());
  }

  /**
   * Bytes a second of copies from pinned memory to the GPU, one after the other, with nothing beside them: the best of some rounds.
   *
   * @param ordinal of the GPU
   */
  public static double plainCopyBytesPerSecond(int ordinal, long bytes, int copies, int rounds) {
    try (CudaContext context = new CudaContext(ordinal)) {
      long stream = context.stream();
      MemorySegment from = context.pinned(bytes);
      long to = context.memory(bytes);
      long begin = context.timedEvent();
      long end = context.timedEvent();
      double best = 0;
      for (int round = 0; round < rounds; round++) {
        Cuda.eventRecord(begin, stream);
        for (int i = 0; i < copies; i++) {
          Cuda.copyToDevice(to, from.address(), bytes, stream);
        }
        Cuda.eventRecord(end, stream);
        Cuda.streamSynchronize(stream);
        best = Math.max(best, 1e6 * bytes * copies / Cuda.elapsedMicros(begin, end));
      }
      return best;
    }
  }

  private void requireApplied() {
    if (result.status() != StepResult.Status.APPLIED) {
      throw new IllegalStateException(
          "cuda: a step of %s was not applied: %s, loss %s"
              .formatted(shape, result.status(), result.loss()));
    }
  }

  private static void await(Twin twin) {
    while (!twin.isDone()) {
      Thread.onSpinWait();
    }
  }

  private static double elapsed(long begin, long end) {
    while (!Cuda.eventQuery(end)) {
      Thread.onSpinWait();
    }
    return Cuda.elapsedMicros(begin, end);
  }

  /** The middle one of what {@code rounds} say; for timings by turns. */
  public static double median(List<Double> rounds) {
    double[] sorted = rounds.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  @Override
  public void close() {
    try {
      session.close();
    } finally {
      memory.close();
    }
  }
}
