package io.penstock.trainer.cpu;

import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.State;
import io.penstock.trainer.device.SessionState;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The forward phase of a program by itself, with parameters of its own: what the {@code cpu} device computes of a minibatch before
 * it learns from it, to the bit. Not thread-safe.
 */
public final class ForwardPass implements AutoCloseable {
  private final Program program;
  private final Buffers buffers;
  private final Kernel[] kernels;
  private final Step step;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment slot;
  private final long outputs;

  /** A pass with all parameters 0. */
  public ForwardPass(Program program) {
    FmaUse.require();
    this.program = program.forwardOnly();
    buffers = new Buffers(this.program);
    try {
      kernels = Kernels.bind(this.program, buffers, this.program.forward());
    } catch (RuntimeException e) {
      buffers.close();
      arena.close();
      throw e;
    }
    step = new Step(new TrainingState(program.metrics()));
    SlotLayout layout = program.layout();
    slot = arena.allocate(layout.byteSize(), Memory.STEP);
    for (int row = 0; row < layout.capacityRows(); row++) {
      Memory.put(slot.address() + layout.weightOffset() + 4L * row, 1);
    }
    outputs = buffers.operand(this.program.outputs()).base();
  }

  /** Takes over the parameters of a cut, of a run on any device. */
  public void load(State cut) {
    SessionState.copyParameters(cut, program.parameters(), buffers.region(Region.PARAMETERS));
  }

  /** Where features go, laid out as the program's slots are. */
  public MemorySegment slot() {
    return slot;
  }

  /** Computes the outputs of the first {@code rows} rows of the slot. */
  public void run(int rows) {
    if (rows < 1 || rows > program.layout().capacityRows()) {
      throw new IllegalArgumentException(
          "forward: 1 to %d rows, not %d".formatted(program.layout().capacityRows(), rows));
    }
    step.begin(slot.address(), rows, rows);
    for (Kernel kernel : kernels) {
      kernel.run(step);
    }
  }

  /** An output of a row of the last {@link #run}. */
  public float output(int output, int row) {
    Matrix matrix = program.outputs();
    return Memory.get(outputs + ((long) output * matrix.stride() + row) * Float.BYTES);
  }

  @Override
  public void close() {
    buffers.close();
    arena.close();
  }
}
