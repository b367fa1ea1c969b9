package io.penstock.trainer.model;

/** The flat buffers of a program, in floats. */
public enum Region {
  /** The minibatch in its slot: read, never written, but by {@link KernelCall.SelectRows}. */
  SLOT,
  /** All dense parameters. */
  PARAMETERS,
  /** Their gradients, laid out as the parameters are. */
  GRADIENTS,
  /** What the optimizer remembers of each parameter: as many parameter layouts, one behind the other, as it needs. */
  OPTIMIZER,
  /** Activations and what else lives for one step only. */
  SCRATCH
}
