package io.penstock.trainer.nd4j;

/** A bound operation. */
interface Kernel {
  void run(Step step);
}
