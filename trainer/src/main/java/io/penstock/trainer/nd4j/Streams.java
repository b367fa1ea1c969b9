package io.penstock.trainer.nd4j;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.OpaqueLaunchContext;

/**
 * The stream that minibatches are copied on, the one that all else runs on, and copies. The latter stream is ND4J's own for the
 * calling thread. With the native backend there are no streams: ND4J's copies do nothing there, so bytes are copied at once.
 */
final class Streams {
  private static final int HOST_TO_DEVICE = 1;
  private static final int DEVICE_TO_HOST = 2;

  private final Library library;
  private final NativeOps ops;
  private final @Nullable Pointer copyStream;
  private @Nullable Thread owner;
  private @Nullable Pointer computeStream;

  /** What ND4J's older operations take beside their operands: stream and buffers to reduce in. */
  private @Nullable PointerPointer<Pointer> extras;

  Streams(Library library) {
    this.library = library;
    ops = library.ops();
    copyStream = library.copyStream();
  }

  /** Makes the calling thread's stream the one that compute runs on. */
  void attach() {
    if (!library.isGpu() || Thread.currentThread() == owner) {
      return;
    }
    synchronize();
    owner = Thread.currentThread();
    OpaqueLaunchContext context = ops.defaultLaunchContext();
    computeStream = ops.lcExecutionStream(context);
    PointerPointer<Pointer> pointers = new PointerPointer<>(6);
    pointers.put(0, (Pointer) null);
    pointers.put(1, computeStream);
    pointers.put(2, (Pointer) null);
    pointers.put(3, ops.lcAllocationPointer(context));
    pointers.put(4, ops.lcReductionPointer(context));
    pointers.put(5, ops.lcScalarPointer(context));
    extras = pointers;
  }

  @Nullable PointerPointer<Pointer> extras() {
    return extras;
  }

  /** Copies to the device beside compute. */
  void copyBeside(Pointer device, Pointer host, long bytes) {
    if (library.isGpu()) {
      succeed(ops.memcpyAsync(device, host, bytes, HOST_TO_DEVICE, copyStream), "memcpyAsync");
    } else {
      Pointer.memcpy(device, host, bytes);
    }
  }

  /** Marks what was copied so far. */
  void record(@Nullable Pointer event) {
    if (library.isGpu()) {
      succeed(ops.registerEvent(event, copyStream), "registerEvent");
    }
  }

  /** Waits until what was copied before the mark is there. */
  void await(@Nullable Pointer event) {
    if (library.isGpu()) {
      succeed(ops.eventSynchronize(event), "eventSynchronize");
    }
  }

  /** Copies to the device in the order of compute. */
  void copyIn(Pointer device, Pointer host, long bytes) {
    if (library.isGpu()) {
      succeed(ops.memcpyAsync(device, host, bytes, HOST_TO_DEVICE, computeStream), "memcpyAsync");
    } else {
      Pointer.memcpy(device, host, bytes);
    }
  }

  /** Copies to the host in the order of compute. */
  void copyOut(Pointer host, Pointer device, long bytes) {
    if (library.isGpu()) {
      succeed(ops.memcpyAsync(host, device, bytes, DEVICE_TO_HOST, computeStream), "memcpyAsync");
    } else {
      Pointer.memcpy(host, device, bytes);
    }
  }

  /** Waits for all that was started. */
  void synchronize() {
    if (library.isGpu() && computeStream != null) {
      succeed(ops.streamSynchronize(copyStream), "streamSynchronize");
      succeed(ops.streamSynchronize(computeStream), "streamSynchronize");
    }
  }

  private void succeed(int result, String call) {
    if (result == 0) {
      library.check(call);
      throw new IllegalStateException("nd4j: " + call + " failed");
    }
  }
}
