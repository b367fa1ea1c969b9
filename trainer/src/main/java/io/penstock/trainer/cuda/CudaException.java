package io.penstock.trainer.cuda;

/** A call into one of NVIDIA's libraries that failed. */
public final class CudaException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  private final int code;
  private final boolean driver;

  private CudaException(String message, int code, boolean driver) {
    super(message);
    this.code = code;
    this.driver = driver;
  }

  /** Of the driver's API, with what to do about it. */
  static CudaException ofDriver(String call, int code, String name) {
    String message = "cuda: %s failed with %s (%d)%s".formatted(call, name, code, advice(code));
    return new CudaException(message, code, true);
  }

  /** Of another library. */
  static CudaException ofLibrary(String call, int code, String name) {
    return new CudaException(
        "cuda: %s failed with %s (%d)".formatted(call, name, code), code, false);
  }

  private static String advice(int code) {
    return switch (code) {
      case Cuda.CUDA_ERROR_OUT_OF_MEMORY ->
          ": out of memory; make batch.size, pipeline.slots or the model smaller, or end what else uses the GPU";
      case Cuda.CUDA_ERROR_NO_DEVICE ->
          ": there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it";
      case Cuda.CUDA_ERROR_INVALID_DEVICE ->
          ": there is no GPU of that number; see penstock devices";
      case Cuda.CUDA_ERROR_NO_BINARY_FOR_GPU ->
          ": NVRTC is too old for this GPU; install a newer CUDA";
      default ->
          isFault(code)
              ? ": a kernel failed, and with it everything on the GPU is lost; start again from the last checkpoint"
              : "";
    };
  }

  /** Whether a kernel failed: the context and all that is in it is lost. */
  boolean lostContext() {
    return driver && isFault(code);
  }

  private static boolean isFault(int code) {
    return code == Cuda.CUDA_ERROR_ILLEGAL_ADDRESS
        || code == Cuda.CUDA_ERROR_ILLEGAL_INSTRUCTION
        || code == Cuda.CUDA_ERROR_MISALIGNED_ADDRESS
        || code == Cuda.CUDA_ERROR_LAUNCH_FAILED;
  }

  /** The library's own code. */
  public int code() {
    return code;
  }
}
