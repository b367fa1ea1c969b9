package io.penstock.trainer.cpu;

/** A kernel call bound to addresses. */
interface Kernel {
  void run(Step step);
}
