package io.penstock.trainer.cpu;

import io.penstock.pipeline.Slot;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Runs a step within {@link #trySubmit}; its one twin is free again when the result has been polled. */
final class CpuSession implements DeviceSession {
  private final Program program;
  private final Buffers buffers;
  private final Step step;
  private final Kernel[] kernels;
  private final StepResult result = new StepResult();
  private boolean ended;

  CpuSession(Program program, float[] parameters) {
    this.program = program;
    buffers = new Buffers(program);
    step = new Step(new TrainingState(program.metrics()));
    try {
      List<KernelCall> calls = new ArrayList<>(program.forward());
      calls.addAll(program.gradient());
      calls.addAll(program.reduce());
      calls.addAll(program.update());
      kernels = Kernels.bind(program, buffers, calls);
      write(Region.PARAMETERS, parameters);
    } catch (RuntimeException e) {
      buffers.close();
      throw e;
    }
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public boolean trySubmit(Slot slot) {
    if (ended) {
      return false;
    }
    program.requireFit("cpu", slot);
    result.set(slot.sequence(), run(slot), step.loss);
    ended = true;
    return true;
  }

  private Status run(Slot slot) {
    double weightSum = slot.weightSum();
    step.begin(slot.memory().address(), slot.validRows(), weightSum);
    long[] counters = step.state.counters();
    if (!(weightSum > 0 && weightSum < Double.POSITIVE_INFINITY)) {
      counters[TrainingState.STEPS_SKIPPED]++;
      return Status.WEIGHTLESS;
    }
    for (Kernel kernel : kernels) {
      kernel.run(step);
    }
    Status status = step.status;
    counters[
        status == Status.APPLIED ? TrainingState.STEPS_APPLIED : TrainingState.STEPS_SKIPPED]++;
    return status;
  }

  @Override
  public boolean poll(StepResult to) {
    if (!ended) {
      return false;
    }
    to.set(result);
    ended = false;
    return true;
  }

  @Override
  public void read(Region region, MemorySegment to) {
    program.requireSize(region, to.byteSize() / Float.BYTES);
    buffers.read(region, to);
  }

  @Override
  public void write(Region region, float[] from) {
    program.requireSize(region, from.length);
    buffers.write(region, from);
  }

  @Override
  public void read(TrainingState to) {
    to.set(step.state);
  }

  @Override
  public void write(TrainingState from) {
    step.state.set(from);
  }

  @Override
  public void close() {
    buffers.close();
  }
}
