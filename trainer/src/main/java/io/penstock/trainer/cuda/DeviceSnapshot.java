package io.penstock.trainer.cuda;

import java.lang.foreign.MemorySegment;

/**
 * A session's regions as they were at one moment: copied within the GPU where the compute stream stands, and from there to the host
 * on a stream of its own, while steps go on.
 */
final class DeviceSnapshot {
  private final long parameters;
  private final long parameterBytes;
  private final long optimizer;
  private final long optimizerBytes;
  private final long copy;
  private final long stream;
  private final long taken;
  private final long copied;

  /**
   * @param parameters address of a region, likewise {@code optimizer}
   */
  DeviceSnapshot(
      CudaContext context,
      long parameters,
      long parameterBytes,
      long optimizer,
      long optimizerBytes) {
    this.parameters = parameters;
    this.parameterBytes = parameterBytes;
    this.optimizer = optimizer;
    this.optimizerBytes = optimizerBytes;
    copy = context.memory(parameterBytes + optimizerBytes);
    stream = context.stream();
    taken = context.event();
    copied = context.event();
  }

  /**
   * Takes the snapshot; the one before must be whole.
   *
   * @param to pinned memory for both regions, one behind the other
   */
  void take(MemorySegment to, long computeStream) {
    Cuda.copyOnDevice(copy, parameters, parameterBytes, computeStream);
    if (optimizerBytes > 0) {
      Cuda.copyOnDevice(copy + parameterBytes, optimizer, optimizerBytes, computeStream);
    }
    Cuda.eventRecord(taken, computeStream);
    Cuda.streamWaitEvent(stream, taken);
    Cuda.copyToHost(to.address(), copy, parameterBytes + optimizerBytes, stream);
    Cuda.eventRecord(copied, stream);
  }

  /** Whether the last one taken is on the host. */
  boolean isWhole() {
    return Cuda.eventQuery(copied);
  }
}
