package io.penstock.trainer.model;

import io.penstock.pipeline.Slot;
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
  /** The forward phase alone: for rows that are to be predicted. */
  public Program forwardOnly() {
    return without(List.of());
  }

  /** Forward phase and loss: what is needed to judge rows. */
  public Program scoringOnly() {
    return without(gradient.stream().filter(KernelCall.Loss.class::isInstance).toList());
  }

  /** Forward phase, loss and metrics: what a step does before anything is learnt. */
  public Program evaluationOnly() {
    return without(
        gradient.stream()
            .filter(call -> call instanceof KernelCall.Loss || call instanceof KernelCall.Evaluate)
            .toList());
  }

  private Program without(List<KernelCall> kept) {
    return new Program(
        layout, parameters, 0, scratchSize, outputs, metrics, forward, kept, List.of(), List.of());
  }

  /** Where the loss leaves what it says of each row. */
  public KernelCall.LossRows lossRows() {
    return gradient.stream()
        .filter(KernelCall.Loss.class::isInstance)
        .map(call -> ((KernelCall.Loss) call).rows())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("a program without a loss"));
  }

  /** Floats of a region; the slot is not the program's. */
  public int size(Region region) {
    return switch (region) {
      case PARAMETERS, GRADIENTS -> parameters.size();
      case OPTIMIZER -> optimizerSize;
      case SCRATCH -> scratchSize;
      case SLOT -> throw new IllegalArgumentException("the slot is not a region of the program");
    };
  }

  /**
   * Checks what kernels rely on: they address a slot's memory without bounds.
   *
   * @param device whose kernels, for the message
   * @throws IllegalArgumentException where the slot is of another layout, has too little memory, or no row
   */
  public void requireFit(String device, Slot slot) {
    if (!slot.layout().equals(layout)
        || slot.memory().byteSize() < layout.byteSize()
        || slot.validRows() < 1
        || slot.validRows() > layout.capacityRows()) {
      throw new IllegalArgumentException(
          "%s: a slot of %s with %d rows in %d bytes does not fit a program for %s"
              .formatted(
                  device, slot.layout(), slot.validRows(), slot.memory().byteSize(), layout));
    }
  }

  /**
   * Checks the number of floats that are to be read from a region, or written to it.
   *
   * @throws IllegalArgumentException where the region has more or fewer
   */
  public void requireSize(Region region, long floats) {
    if (floats != size(region)) {
      throw new IllegalArgumentException(
          "%s: %d floats expected, not %d".formatted(region, size(region), floats));
    }
  }
}
