package io.penstock.trainer.nd4j;

import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Program;

/** Steps on ND4J's backend: a processor's, or an NVIDIA GPU's. */
public final class Nd4jDevice implements Device {
  private final Library library;

  private Nd4jDevice(Library library) {
    this.library = library;
  }

  /**
   * The device, its library loaded.
   *
   * @throws IllegalStateException where ND4J or its GPU is not there, or cannot be used, with every reason found
   */
  public static Nd4jDevice open() {
    // Before any class of ND4J is asked for: it may not be there.
    Backend.present();
    return new Nd4jDevice(Library.load());
  }

  /**
   * What {@link #open} would open, as {@link #description} says it, found out without loading anything of ND4J.
   *
   * @throws IllegalStateException where it would fail for what is missing
   */
  public static String find() {
    Backend backend = Backend.present();
    return describe(backend);
  }

  /** Whether there is a backend for GPUs, usable or not. */
  public static boolean hasGpuBackend() {
    return Backend.all().contains(Backend.CUDA);
  }

  private static String describe(Backend backend) {
    return switch (backend) {
      case NATIVE -> "%s, %s, 1 thread".formatted(backend, System.getProperty("os.arch"));
      case CUDA -> "%s %s on %s".formatted(backend, backend.version(), Gpus.require());
    };
  }

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public String description() {
    return describe(library.backend());
  }

  @Override
  public SlotMemory slotMemory() {
    return new PinnedMemory(library);
  }

  @Override
  public DeviceSession open(Program program, float[] parameters) {
    return new Nd4jSession(library, program, parameters);
  }
}
