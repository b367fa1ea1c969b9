package io.penstock.trainer.cuda;

import io.penstock.config.Precision;

/**
 * A GPU, and what of it is taken.
 *
 * @param name as its driver says
 * @param emulated whether the libraries are the tests' emulator: then nothing that is measured is a GPU's
 * @param description name, memory, driver and libraries, for people
 * @param usedBytes of the GPU's memory, by whomever
 * @param pinnedBytes of host memory that this process has pinned
 */
public record GpuState(
    String name, boolean emulated, String description, long usedBytes, long pinnedBytes) {
  /** A symbol that only the emulator has. */
  private static final String EMULATOR = "emuReset";

  /**
   * Looks.
   *
   * @param ordinal of the GPU
   * @throws IllegalStateException where it cannot be used, with every reason found
   */
  public static GpuState of(int ordinal) {
    String description = CudaDevice.of(ordinal, Precision.FLOAT32).description();
    try (CudaContext context = new CudaContext(ordinal)) {
      context.use();
      int device = Cuda.device(ordinal);
      return new GpuState(
          Cuda.deviceName(device),
          Cuda.LIBRARY.has(EMULATOR),
          description,
          Cuda.deviceTotalMem(device) - Cuda.freeMemory(),
          CudaContext.pinnedBytes());
    }
  }
}
