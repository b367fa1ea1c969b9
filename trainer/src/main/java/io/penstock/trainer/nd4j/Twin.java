package io.penstock.trainer.nd4j;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.RowMetrics;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** A minibatch's place in the device's memory, with the operations that compute its gradient and what comes back of them. */
final class Twin implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Library library;
  private final Streams streams;
  private final SlotLayout layout;
  private final Outcome outcome;
  private final @Nullable Pointer copied;

  private final Buffer minibatch;
  private final Pointer minibatchAddress;
  private final Address slotAddress = new Address();

  /** A 1 in each lane that is a row, and behind them 1 / Σ weights; the same on the host, and of which minibatch it is. */
  private final Buffer guide;

  private final MemorySegment hostGuide;
  private final Pointer guideAddress;
  private final Pointer hostGuideAddress;
  private int guideRows;
  private double guideWeightSum;

  private final Kernel[] compute;
  private final Kernel[] conclude;
  private boolean started;

  final Step step = new Step();

  Twin(
      Library library,
      Streams streams,
      Buffers buffers,
      PinnedMemory pinned,
      Calls calls,
      Program program,
      TrainingState training) {
    this.library = library;
    this.streams = streams;
    layout = program.layout();
    outcome = new Outcome(pinned, layout);
    copied = library.isGpu() ? library.ops().createEvent() : null;
    minibatch = buffers.floats(layout.deviceBytes() / Float.BYTES);
    minibatchAddress = minibatch.at(0);
    int lanes = layout.strideRows();
    guide = buffers.floats(lanes + 1L);
    guideAddress = guide.at(0);
    hostGuide = pinned.allocate((lanes + 1L) * Float.BYTES);
    hostGuideAddress = new Address().at(hostGuide.address());
    List<Kernel> after = new ArrayList<>();
    compute = bind(buffers, calls, program, training, after);
    conclude = after.toArray(Kernel[]::new);
  }

  private Kernel[] bind(
      Buffers buffers, Calls calls, Program program, TrainingState training, List<Kernel> after) {
    Line valid = Line.of(guide, 0, layout.strideRows());
    Line kept = Line.in(buffers);
    Line shares = Line.in(buffers);
    Operands operands = new Operands(buffers, minibatch);
    selectLines(calls, valid, kept, shares);
    Kernels kernels =
        new Kernels(
            calls,
            operands,
            buffers,
            new Losses(calls, operands, buffers, shares, kept),
            valid,
            kept,
            streams,
            outcome);
    RowMetrics metrics = new RowMetrics(program.metrics());
    Stream.of(program.forward(), program.gradient(), program.reduce(), program.update())
        .flatMap(List::stream)
        .filter(call -> !(call instanceof KernelCall.Update))
        .forEach(
            call -> {
              kernels.bind(call);
              if (call instanceof KernelCall.Evaluate) {
                after.add(s -> outcome.evaluate(s, metrics, training));
              } else if (call instanceof KernelCall.CheckGradient check) {
                after.add(s -> outcome.judge(s, check, training));
              }
            });
    kernels.copyOut(outcome.headerAddress(), minibatch, 0, SlotLayout.HEADER_BYTES);
    return calls.take();
  }

  /** Labels and weights of what is no row, or weighs nothing, become 0; each row's share of all weights. */
  private void selectLines(Calls calls, Line valid, Line kept, Line shares) {
    int lanes = layout.strideRows();
    Array weights = minibatch.vector(layout.weightOffset() / Float.BYTES, lanes);
    Array labels = minibatch.vector(layout.labelOffset() / Float.BYTES, lanes);
    Array inverse = guide.vector(lanes, 1);
    calls.select(weights, valid.vector(), weights);
    calls.select(weights, weights, kept.vector());
    calls.select(labels, kept.vector(), labels);
    calls.multiply(weights, inverse, shares.vector());
  }

  /** Begins to copy a minibatch here. */
  void load(Slot slot) {
    step.begin(slot);
    started = false;
    if (step.weightless()) {
      return;
    }
    MemorySegment memory = slot.memory();
    step.partial = step.rows < layout.capacityRows();
    step.selective = step.partial || anyWeighsNothing(memory);
    if (guideRows != step.rows || guideWeightSum != step.weightSum) {
      guide();
    }
    streams.copyBeside(minibatchAddress, slotAddress.at(memory.address()), layout.deviceBytes());
    minibatch.written();
    streams.record(copied);
  }

  private void guide() {
    int lanes = layout.strideRows();
    for (int row = 0; row < lanes; row++) {
      hostGuide.setAtIndex(FLOAT, row, row < step.rows ? 1 : 0);
    }
    hostGuide.setAtIndex(FLOAT, lanes, (float) (1 / step.weightSum));
    guideRows = step.rows;
    guideWeightSum = step.weightSum;
    streams.copyBeside(guideAddress, hostGuideAddress, hostGuide.byteSize());
    guide.written();
  }

  private boolean anyWeighsNothing(MemorySegment memory) {
    long weights = layout.weightOffset();
    for (int row = 0; row < step.rows; row++) {
      if (memory.get(FLOAT, weights + (long) row * Float.BYTES) == 0) {
        return true;
      }
    }
    return false;
  }

  boolean isStarted() {
    return started;
  }

  /** Begins to compute what was copied here. */
  void start() {
    started = true;
    if (step.weightless()) {
      return;
    }
    streams.await(copied);
    outcome.clear();
    for (Kernel kernel : compute) {
      kernel.run(step);
    }
    library.check("step");
  }

  /** Whether the gradient is there, and the slot was read for the last time but for its labels and weights. */
  boolean hasEnded() {
    return started && (step.weightless() || outcome.isThere());
  }

  /** Evaluates and judges the step that has ended. */
  void conclude() {
    for (Kernel kernel : conclude) {
      kernel.run(step);
    }
  }

  @Override
  public void close() {
    if (copied != null) {
      library.ops().destroyEvent(copied);
    }
  }
}
