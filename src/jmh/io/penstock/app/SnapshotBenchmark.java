package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** How long training stands still for a checkpoint, beside a plain copy of as many bytes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@SuppressWarnings("NullAway.Init") // made by JMH, set in @Setup
public class SnapshotBenchmark {
  /** Width of two hidden layers: 1 MB and 100 MB of parameters, and twice that of Adam's. */
  @Param({"500", "5000"})
  int width;

  private final Arena arena = Arena.ofShared();
  private DeviceSession session;
  private MemorySegment from;
  private MemorySegment to;

  /** Opens a session. */
  @Setup
  public void open() {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: agrawal } }
            batch: { size: 32 }
            model: { mlp: { hidden: [%d, %d] } }
            """
                .formatted(width, width));
    RunPlan plan = RunPlan.of(config, List.of());
    session =
        new CpuDevice().open(plan.program(), InitialParameters.of(plan.model(), config.seed()));
    // Memory that was never written to would all be one page of zeros.
    float[] state = new float[plan.program().size(Region.OPTIMIZER)];
    Arrays.fill(state, 1);
    session.write(Region.OPTIMIZER, state);
    from = arena.allocate(session.snapshotBytes(), 64).fill((byte) 1);
    to = arena.allocate(session.snapshotBytes(), 64).fill((byte) 1);
  }

  /** Closes it. */
  @TearDown
  public void close() {
    session.close();
    arena.close();
  }

  /** The baseline. */
  @Benchmark
  public void copy() {
    to.copyFrom(from);
  }

  /** What the device thread does at a barrier. */
  @Benchmark
  public io.penstock.pipeline.State snapshot() {
    io.penstock.pipeline.State state = new io.penstock.pipeline.State();
    session.snapshot(state, to);
    return state;
  }
}
