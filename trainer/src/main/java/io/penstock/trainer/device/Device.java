package io.penstock.trainer.device;

import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.model.Program;
import java.util.function.BooleanSupplier;

/** Where steps run. */
public interface Device {

  /** Name in the configuration: {@code cpu}. */
  String name();

  /** For people and reports: what it is, which instructions and libraries it uses. */
  String description();

  /** For reports: the name and, of a device with several backends, which one it is. */
  default String label() {
    return name();
  }

  /** Memory for a ring of slots that this device can copy from. */
  SlotMemory slotMemory();

  /**
   * Readies {@code program}.
   *
   * @param parameters their first values, laid out as {@code program.parameters()} says
   * @throws IllegalStateException where the device or a library it needs is not there, with every reason found
   */
  DeviceSession open(Program program, float[] parameters);

  /**
   * Runs steps of no consequence, with weights and a minibatch of its own, until there were enough: for devices whose code is
   * compiled while it runs, so that the first real minibatches do not wait for the compiler. On the device thread, before the
   * first of them.
   *
   * @param enough asked after each step
   */
  default void practise(Program program, BooleanSupplier enough) {}
}
