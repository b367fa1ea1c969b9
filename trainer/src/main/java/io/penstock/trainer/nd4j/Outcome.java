package io.penstock.trainer.nd4j;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.LossSpikes;
import io.penstock.trainer.model.RowMetrics;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import org.bytedeco.javacpp.Pointer;

/**
 * What comes back of a twin's step, in pinned memory: each row's loss, prediction and score, a sum over the gradient, and last the
 * header of the minibatch, whose sequence says that all before it is there.
 */
final class Outcome {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SEQUENCE =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final long NOT_THERE = Long.MIN_VALUE;

  private final MemorySegment memory;
  private final SlotLayout layout;
  private final long lineBytes;

  Outcome(PinnedMemory pinned, SlotLayout layout) {
    this.layout = layout;
    lineBytes = (long) layout.strideRows() * Float.BYTES;
    memory = pinned.allocate(2 * SlotLayout.HEADER_BYTES + 3 * lineBytes);
  }

  private long losses() {
    return 2 * SlotLayout.HEADER_BYTES;
  }

  private long predictions() {
    return losses() + lineBytes;
  }

  private long scores() {
    return predictions() + lineBytes;
  }

  private long gradientSum() {
    return SlotLayout.HEADER_BYTES;
  }

  Pointer headerAddress() {
    return at(0);
  }

  Pointer lossesAddress() {
    return at(losses());
  }

  Pointer predictionsAddress() {
    return at(predictions());
  }

  Pointer scoresAddress() {
    return at(scores());
  }

  Pointer gradientSumAddress() {
    return at(gradientSum());
  }

  private Pointer at(long offset) {
    return new Address().at(memory.address() + offset);
  }

  /** Before a step: nothing is there. */
  void clear() {
    SEQUENCE.setVolatile(memory, SlotLayout.SEQUENCE_OFFSET, NOT_THERE);
  }

  /** Whether the step has ended. */
  boolean isThere() {
    return (long) SEQUENCE.getVolatile(memory, SlotLayout.SEQUENCE_OFFSET) != NOT_THERE;
  }

  /** The step's loss and, where it is finite, its rows in the metrics. */
  void evaluate(Step step, RowMetrics metrics, TrainingState state) {
    Slot slot = Objects.requireNonNull(step.slot);
    MemorySegment minibatch = slot.memory();
    long weights = layout.weightOffset();
    double sum = 0;
    for (int row = 0; row < step.rows; row++) {
      long at = (long) row * Float.BYTES;
      float weight = minibatch.get(FLOAT, weights + at);
      if (weight != 0) {
        sum = Math.fma((double) weight, memory.get(FLOAT, losses() + at), sum);
      }
    }
    step.loss = sum / step.weightSum;
    if (!Double.isFinite(step.loss)) {
      return;
    }
    for (int row = 0; row < step.rows; row++) {
      long at = (long) row * Float.BYTES;
      if (minibatch.get(FLOAT, weights + at) != 0) {
        metrics.add(
            state,
            minibatch.get(FLOAT, layout.labelOffset() + at),
            memory.get(FLOAT, predictions() + at),
            memory.get(FLOAT, scores() + at),
            memory.get(FLOAT, losses() + at));
      }
    }
  }

  /**
   * What becomes of the step. Whether its gradient is finite is known from that times 0, or from its square where its norm is
   * bounded.
   */
  void judge(Step step, KernelCall.CheckGradient check, TrainingState state) {
    float sum = memory.get(FLOAT, gradientSum());
    if (!Double.isFinite(step.loss) || !Float.isFinite(sum)) {
      step.status = Status.NOT_FINITE;
    } else if (LossSpikes.judge(state, step.loss, check.lossSpike())) {
      step.status = Status.SPIKE;
    }
    if (check.clipNorm() > 0) {
      // PyTorch's clip_grad_norm_.
      step.scale = (float) Math.min(1, check.clipNorm() / (Math.sqrt(sum) + 1e-6));
    }
  }
}
