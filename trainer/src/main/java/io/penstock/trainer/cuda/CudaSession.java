package io.penstock.trainer.cuda;

import io.penstock.config.Precision;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.State;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.SessionState;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** Steps on two streams, one for copies and one for computing; see the package. */
final class CudaSession implements DeviceSession {
  private final Program program;
  private final CudaContext context;
  private final long copyStream;
  private final long computeStream;
  private final Regions regions;
  private final long step;
  private final MemorySegment record;
  private final Twin[] twins;
  private final boolean fused;

  /** Made for the first snapshot: a run without checkpoints needs no second copy of its weights. */
  private @Nullable DeviceSnapshot snapshot;

  private long submitted;
  private long reported;

  CudaSession(
      Program program,
      float[] parameters,
      CudaContext context,
      String architecture,
      Precision precision,
      Planning planning,
      int twinCount) {
    this.program = program;
    this.context = context;
    copyStream = context.stream();
    computeStream = context.stream();
    regions = new Regions(context, program, computeStream);
    TrainingState state = new TrainingState(program.metrics());
    long recordBytes = StepRecord.bytes(state);
    step = Regions.cleared(context, recordBytes, computeStream);
    record = context.pinned(recordBytes);
    Kernels kernels = new Kernels(context, architecture);
    long growths = regions.growths(context, program.metrics());
    long edges = regions.edges(context);
    long partials = context.memory((long) Plan.MOST_PARTIALS * Double.BYTES);
    Plan.Shared shared = new Plan.Shared(step, growths, edges, partials);
    FusedShape shape =
        planning == Planning.GENERAL
            ? null
            : FusedShape.of(program, context.mostSharedBytesOfABlock());
    fused = shape != null;
    LongFunction<List<Launch>> plan;
    if (shape != null) {
      plan =
          new FusedPlan(shape, program, context, kernels, regions, shared, computeStream)::launches;
    } else {
      Matmuls matmuls = new Matmuls(context, precision);
      plan = slot -> Plan.of(program, kernels, matmuls, regions, shared, slot);
    }
    twins = new Twin[twinCount];
    for (int i = 0; i < twinCount; i++) {
      Twin twin =
          new Twin(context, program.layout().deviceBytes(), StepRecord.stepBytes(), computeStream);
      List<Launch> launches = plan.apply(twin.memory());
      if (i == 0) {
        rehearse(launches);
      }
      twin.capture(context, launches, step, computeStream);
      twins[i] = twin;
    }
    write(Region.PARAMETERS, parameters);
    write(state);
  }

  /** A step of no weight: loads what loads late, which a capture would not allow, and finds what cannot run. */
  private void rehearse(List<Launch> launches) {
    for (Launch launch : launches) {
      launch.on(computeStream);
    }
    Cuda.streamSynchronize(computeStream);
  }

  /** Whether steps run as fused kernels. */
  boolean isFused() {
    return fused;
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public boolean trySubmit(Slot slot) {
    if (submitted - reported == twins.length) {
      return false;
    }
    program.requireFit("cuda", slot);
    context.use();
    twin(submitted)
        .submit(slot.memory().address(), program.layout().deviceBytes(), copyStream, computeStream);
    submitted++;
    return true;
  }

  @Override
  public boolean poll(StepResult result) {
    if (reported == submitted) {
      return false;
    }
    context.use();
    Twin twin = twin(reported);
    if (!twin.isDone()) {
      return false;
    }
    StepRecord.read(twin.record(), result);
    reported++;
    return true;
  }

  /** The twin of a step, by the step's number. */
  Twin twin(long number) {
    return twins[(int) (number % twins.length)];
  }

  int twins() {
    return twins.length;
  }

  CudaContext context() {
    return context;
  }

  long copyStream() {
    return copyStream;
  }

  long computeStream() {
    return computeStream;
  }

  @Override
  public void read(Region region, MemorySegment to) {
    requireIdle();
    program.requireSize(region, to.byteSize() / Float.BYTES);
    regions.read(region, to);
  }

  @Override
  public void write(Region region, float[] from) {
    requireIdle();
    program.requireSize(region, from.length);
    regions.write(region, from);
  }

  private void requireIdle() {
    if (reported != submitted) {
      throw new IllegalStateException(
          "cuda: %d steps are in flight; poll them first".formatted(submitted - reported));
    }
    context.use();
  }

  @Override
  public void read(TrainingState to) {
    context.use();
    Cuda.copyToHost(record.address(), step, record.byteSize(), computeStream);
    Cuda.streamSynchronize(computeStream);
    StepRecord.read(record, to);
  }

  @Override
  public void write(TrainingState from) {
    requireIdle();
    record.fill((byte) 0);
    StepRecord.write(record, from);
    regions.copyToDevice(record, step);
  }

  /** Pinned, so that the copy needs no detour; there as long as the session. */
  @Override
  public MemorySegment snapshotMemory() {
    context.use();
    return context.pinned(snapshotBytes());
  }

  @Override
  public void snapshot(State to, MemorySegment memory) {
    requireIdle();
    DeviceSnapshot taking = snapshot;
    if (taking == null) {
      taking =
          new DeviceSnapshot(
              context,
              regions.address(Region.PARAMETERS),
              (long) program.size(Region.PARAMETERS) * Float.BYTES,
              regions.address(Region.OPTIMIZER),
              (long) program.size(Region.OPTIMIZER) * Float.BYTES);
      snapshot = taking;
    }
    taking.take(memory, computeStream);
    SessionState.describe(this, to, memory);
  }

  @Override
  public boolean isSnapshotWhole() {
    context.use();
    return snapshot == null || snapshot.isWhole();
  }

  @Override
  public void close() {
    context.close();
  }
}
