package io.penstock.trainer.model;

import io.penstock.pipeline.SlotLayout;
import java.util.List;

/**
 * A model lowered for one slot layout: what a device runs for each minibatch, in this order.
 *
 * @param optimizerSize floats of the optimizer's state
 * @param scratchSize floats of the step's own buffers
 * @param outputs where the forward phase leaves the model's outputs (until the gradient phase takes their place)
 * @param metrics what is evaluated
 * @param reduce sums gradients over devices; empty on one
 */
public record Program(
    SlotLayout layout,
    ParameterLayout parameters,
    int optimizerSize,
    int scratchSize,
    Matrix outputs,
    MetricsSpec metrics,
    List<KernelCall> forward,
    List<KernelCall> gradient,
    List<KernelCall> reduce,
    List<KernelCall> update) {
  /** Floats of a region; the slot is not the program's. */
  public int size(Region region) {
    return switch (region) {
      case PARAMETERS, GRADIENTS -> parameters.size();
      case OPTIMIZER -> optimizerSize;
      case SCRATCH -> scratchSize;
      case SLOT -> throw new IllegalArgumentException("the slot is not a region of the program");
    };
  }
}
