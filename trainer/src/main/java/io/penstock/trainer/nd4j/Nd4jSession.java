package io.penstock.trainer.nd4j;

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

/**
 * Two twins: while one computes, the other is copied to. A step's update is started by the {@link #poll} that reports it, when
 * it has been judged from its loss and gradient; the next step's compute after that.
 */
final class Nd4jSession implements DeviceSession {
  private static final int TWINS = 2;

  private final Program program;
  private final Library library;
  private final Streams streams;
  private final PinnedMemory pinned;
  private final Buffers buffers;
  private final Calls calls;
  private final List<Twin> twins = new ArrayList<>();
  private final Kernel[] update;
  private final TrainingState training;
  private long submitted;
  private long reported;

  /** Whether {@link #poll} was called since the last submission: nobody is about to submit another slot. */
  private boolean polled;

  Nd4jSession(Library library, Program program, float[] parameters) {
    this.program = program;
    this.library = library;
    training = new TrainingState(program.metrics());
    streams = new Streams(library);
    streams.attach();
    pinned = new PinnedMemory(library);
    buffers = new Buffers(library, program);
    calls = new Calls(library, streams);
    try {
      for (int i = 0; i < TWINS; i++) {
        twins.add(new Twin(library, streams, buffers, pinned, calls, program, training));
      }
      update = bindUpdates();
      write(Region.PARAMETERS, parameters);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Kernel[] bindUpdates() {
    Scalars scalars = new Scalars(buffers, pinned, streams);
    Operands operands = new Operands(buffers, buffers.floats(1));
    Optimizers optimizers = new Optimizers(calls, operands, scalars, training, !library.isGpu());
    for (KernelCall call : program.update()) {
      if (call instanceof KernelCall.Update rule) {
        optimizers.bind(rule);
      }
    }
    return calls.take();
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public boolean trySubmit(Slot slot) {
    if (submitted - reported == TWINS) {
      return false;
    }
    program.requireFit("nd4j", slot);
    streams.attach();
    twin(submitted).load(slot);
    submitted++;
    polled = false;
    if (submitted - reported > 1) {
      startOldest();
    }
    return true;
  }

  private Twin twin(long number) {
    return twins.get((int) (number % TWINS));
  }

  /** Begins to compute the oldest step; better after the copy of the next one has begun. */
  private void startOldest() {
    Twin oldest = twin(reported);
    if (!oldest.isStarted()) {
      oldest.start();
    }
  }

  @Override
  public boolean poll(StepResult to) {
    if (submitted == reported) {
      return false;
    }
    streams.attach();
    if (polled || !library.isGpu()) {
      startOldest();
    }
    polled = true;
    Twin oldest = twin(reported);
    if (!oldest.hasEnded()) {
      return false;
    }
    end(oldest, to);
    reported++;
    polled = false;
    return true;
  }

  private void end(Twin twin, StepResult to) {
    Step step = twin.step;
    if (!step.weightless()) {
      twin.conclude();
    }
    Status status = step.status;
    if (status == Status.APPLIED) {
      for (Kernel kernel : update) {
        kernel.run(step);
      }
      library.check("update");
    }
    training
        .counters()[
        status == Status.APPLIED ? TrainingState.STEPS_APPLIED : TrainingState.STEPS_SKIPPED]++;
    to.set(step.sequence(), status, step.loss);
  }

  @Override
  public void read(Region region, MemorySegment to) {
    program.requireSize(region, to.byteSize() / Float.BYTES);
    streams.attach();
    streams.synchronize();
    buffers.read(region, to);
  }

  @Override
  public void write(Region region, float[] from) {
    program.requireSize(region, from.length);
    streams.attach();
    streams.synchronize();
    buffers.write(region, from);
  }

  @Override
  public void read(TrainingState to) {
    to.set(training);
  }

  @Override
  public void write(TrainingState from) {
    training.set(from);
  }

  @Override
  public void close() {
    streams.attach();
    streams.synchronize();
    twins.forEach(Twin::close);
    calls.close();
    buffers.close();
    pinned.close();
  }
}
