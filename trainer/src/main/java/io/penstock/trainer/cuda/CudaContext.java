package io.penstock.trainer.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A hold on a GPU's primary context, and what has been made in it: freed together by {@link #close}, newest first, after the last
 * use. Not thread-safe, but threads may take turns: each first calls {@link #use}.
 */
final class CudaContext implements AutoCloseable {
  /** Of this process; the driver does not tell. */
  private static final AtomicLong PINNED_BYTES = new AtomicLong();

  private final int device;
  private final long handle;
  private final Resources resources = new Resources();

  /** Of pinned memory, so that its use after the end is an exception. */
  private final Arena lifetime = Arena.ofShared();

  private final List<Long> streams = new ArrayList<>();
  private @Nullable Thread user;

  /**
   * @param ordinal of the GPU
   */
  CudaContext(int ordinal) {
    Cuda.init();
    device = Cuda.device(ordinal);
    handle = Cuda.primaryContextRetain(device);
    resources.add(() -> Cuda.primaryContextRelease(device));
    use();
  }

  /** Pinned memory that this process holds now. */
  static long pinnedBytes() {
    return PINNED_BYTES.get();
  }

  /** Makes the context the calling thread's own. */
  void use() {
    Thread thread = Thread.currentThread();
    if (user != thread) {
      Cuda.setCurrent(handle);
      user = thread;
    }
  }

  /** Has something freed with everything else. */
  void onClose(Resources.Release release) {
    resources.add(release);
  }

  /** Bytes of shared memory that a block can have on this GPU, where its kernel asks for them. */
  int mostSharedBytesOfABlock() {
    return Cuda.deviceAttribute(Cuda.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device);
  }

  /** Device memory; not cleared. */
  long memory(long bytes) {
    long address;
    try {
      address = Cuda.memAlloc(Math.max(bytes, 1));
    } catch (CudaException e) {
      if (e.code() == Cuda.CUDA_ERROR_OUT_OF_MEMORY) {
        throw new IllegalStateException(
            "cuda: %d MiB of GPU memory wanted, %d MiB of %d MiB are free: %s"
                .formatted(
                    mebibytes(bytes),
                    mebibytes(Cuda.freeMemory()),
                    mebibytes(Cuda.deviceTotalMem(device)),
                    e.getMessage()),
            e);
      }
      throw e;
    }
    resources.add(() -> Cuda.memFree(address));
    return address;
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  /** Pinned host memory, cleared. */
  MemorySegment pinned(long bytes) {
    long address = Cuda.memHostAlloc(bytes, Cuda.CU_MEMHOSTALLOC_PORTABLE);
    PINNED_BYTES.addAndGet(bytes);
    resources.add(
        () -> {
          PINNED_BYTES.addAndGet(-bytes);
          Cuda.memFreeHost(address);
        });
    MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(bytes, lifetime, null);
    memory.fill((byte) 0);
    return memory;
  }

  long stream() {
    long stream = Cuda.streamCreate(Cuda.CU_STREAM_NON_BLOCKING);
    resources.add(() -> Cuda.streamDestroy(stream));
    streams.add(stream);
    return stream;
  }

  long event() {
    long event = Cuda.eventCreate(Cuda.CU_EVENT_DISABLE_TIMING);
    resources.add(() -> Cuda.eventDestroy(event));
    return event;
  }

  /** An event that tells when it happened. */
  long timedEvent() {
    long event = Cuda.eventCreate(Cuda.CU_EVENT_DEFAULT);
    resources.add(() -> Cuda.eventDestroy(event));
    return event;
  }

  /** What {@code work} puts on {@code stream}, to be launched at once. */
  long graph(long stream, Runnable work) {
    Cuda.streamBeginCapture(stream, Cuda.CU_STREAM_CAPTURE_MODE_RELAXED);
    try {
      work.run();
    } catch (RuntimeException e) {
      try {
        Cuda.graphDestroy(Cuda.streamEndCapture(stream));
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    long graph = Cuda.streamEndCapture(stream);
    long executable;
    try {
      executable = Cuda.graphInstantiate(graph);
    } finally {
      Cuda.graphDestroy(graph);
    }
    resources.add(() -> Cuda.graphExecDestroy(executable));
    return executable;
  }

  /** Waits for what is on the streams, then frees everything. */
  @Override
  public void close() {
    lifetime.close();
    use();
    for (long stream : streams) {
      resources.add(() -> Cuda.streamSynchronize(stream));
    }
    resources.close();
  }
}
