package io.penstock.trainer.cpu;

import io.penstock.pipeline.Slot;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Judges minibatches by parameters of its own, and learns nothing: what the {@code cpu} device computes of a minibatch before its
 * gradient, to the bit. Not thread-safe.
 */
public final class ScoringPass implements AutoCloseable {
  private final Program program;
  private final Buffers buffers;
  private final Kernel[] kernels;
  private final Step step;
  private final Operand weights;
  private final long losses;
  private final long predictions;
  private final long scores;

  /** A pass with all parameters 0. */
  public ScoringPass(Program trained) {
    FmaUse.require();
    program = trained.scoringOnly();
    buffers = new Buffers(program);
    try {
      List<KernelCall> calls = new ArrayList<>(program.forward());
      calls.addAll(program.gradient());
      kernels = Kernels.bind(program, buffers, calls);
    } catch (RuntimeException e) {
      buffers.close();
      throw e;
    }
    step = new Step(new TrainingState(program.metrics()));
    KernelCall.LossRows rows = program.lossRows();
    weights = buffers.operand(rows.weights());
    losses = buffers.operand(rows.losses()).base();
    predictions = buffers.operand(rows.predictions()).base();
    scores = buffers.operand(rows.scores()).base();
  }

  /** Takes over parameters, laid out as the program says, by a copy. */
  public void load(MemorySegment parameters) {
    buffers.region(Region.PARAMETERS).copyFrom(parameters);
  }

  /**
   * Judges the rows of a slot; features of rows that weigh nothing become 0, as a step makes them.
   *
   * @return mean loss by the rows' weights, as a step's; NaN where these add up to nothing, or to no number
   * @throws IllegalArgumentException where the slot is not of the program's layout or has no rows
   */
  public double run(Slot slot) {
    program.requireFit("evaluation", slot);
    double weightSum = slot.weightSum();
    if (!(weightSum > 0 && weightSum < Double.POSITIVE_INFINITY)) {
      return Double.NaN;
    }
    step.begin(slot.memory().address(), slot.validRows(), weightSum);
    for (Kernel kernel : kernels) {
      kernel.run(step);
    }
    return Prequential.weightedLoss(weights.address(step), losses, step.rows) / weightSum;
  }

  /** Unweighted loss of a row of the last {@link #run}. */
  public float loss(int row) {
    return Memory.get(losses + (long) row * Float.BYTES);
  }

  /** Its prediction: the number, or the index of the class. */
  public float prediction(int row) {
    return Memory.get(predictions + (long) row * Float.BYTES);
  }

  /** How sure the model is of it, see {@link KernelCall.LossRows}. */
  public float score(int row) {
    return Memory.get(scores + (long) row * Float.BYTES);
  }

  @Override
  public void close() {
    buffers.close();
  }
}
