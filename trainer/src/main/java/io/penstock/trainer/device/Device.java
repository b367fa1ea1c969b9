package io.penstock.trainer.device;

import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.model.Program;

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
   * Whether steps are slow at first because their code is compiled while it runs: then a run rehearses, on a session of its own,
   * while nothing has come yet.
   */
  default boolean isCompiledWhileRunning() {
    return false;
  }
}
