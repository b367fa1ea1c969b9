package io.penstock.trainer.nd4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.factory.Nd4jBackend;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/** ND4J's native library, loaded once in a process by whoever needs it first. */
final class Library {
  /** What the library calls by pointer, in the order that it wants them; without, its matrix products are slow loops. */
  private static final String[] BLAS = {
    "cblas_sgemv", "cblas_dgemv", "cblas_sgemm", "cblas_dgemm", "cblas_sgemm_batch",
    "cblas_dgemm_batch", "LAPACKE_sgesvd", "LAPACKE_dgesvd", "LAPACKE_sgesdd", "LAPACKE_dgesdd"
  };

  private static @Nullable Library loaded;

  private final Backend backend;
  private final NativeOps ops;
  private final Map<String, Long> hashes = new HashMap<>();
  private final @Nullable Pointer copyStream;

  private Library(Backend backend) {
    this.backend = backend;
    ops = NativeOpsHolder.getInstance().getDeviceNativeOps();
    for (String entry : ops.getAllCustomOps().split(";", -1)) {
      String[] parts = entry.split(":", 3);
      if (parts.length > 1) {
        hashes.put(parts[0], Long.valueOf(parts[1]));
      }
    }
    copyStream = isGpu() ? ops.createStream() : null;
    if (!isGpu()) {
      useOneThread();
      useOpenBlas();
    }
    check("initialization");
  }

  /**
   * The library.
   *
   * @throws IllegalStateException where it is not there or cannot be used here, saying why
   */
  static synchronized Library load() {
    if (loaded == null) {
      Backend backend = Backend.present();
      if (backend == Backend.CUDA) {
        Gpus.require();
      }
      loaded = load(backend);
    }
    return loaded;
  }

  private static Library load(Backend backend) {
    // Its lines about itself go to the log of whoever embeds this; a run says what it runs on.
    setUnlessSet("org.nd4j.log.initialization", "false");
    // JavaCPP would refuse memory when the process has more than twice the heap, all of it: blocks,
    // slots and weights lie outside of the heap here.
    setUnlessSet("org.bytedeco.javacpp.maxBytes", "0");
    setUnlessSet("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    try {
      if (Nd4jBackend.load() == null) {
        throw new IllegalStateException("none of its backends says that it is available");
      }
      return new Library(backend);
    } catch (Nd4jBackend.NoAvailableBackendException | RuntimeException | LinkageError e) {
      throw new IllegalStateException(
          "%s cannot be loaded: %s".formatted(backend, rootOf(e).getMessage()), e);
    }
  }

  private static Throwable rootOf(Throwable e) {
    return e.getCause() == null ? e : rootOf(e.getCause());
  }

  private static void setUnlessSet(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** So that sums are added up in one order. */
  private void useOneThread() {
    ops.setOmpNumThreads(1);
    MemorySegment setThreads =
        MemorySegment.ofAddress(Loader.addressof("openblas_set_num_threads").address());
    try {
      Linker.nativeLinker()
          .downcallHandle(setThreads, FunctionDescriptor.ofVoid(JAVA_INT))
          .invokeExact(1);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException("openblas_set_num_threads could not be called", t);
    }
  }

  private void useOpenBlas() {
    try (PointerPointer<Pointer> functions = new PointerPointer<>(BLAS.length)) {
      for (int i = 0; i < BLAS.length; i++) {
        functions.put(i, Loader.addressof(BLAS[i]));
      }
      ops.initializeFunctions(functions);
    }
  }

  NativeOps ops() {
    return ops;
  }

  Backend backend() {
    return backend;
  }

  boolean isGpu() {
    return backend == Backend.CUDA;
  }

  /** The stream for copies beside compute; null with the native backend. */
  @Nullable Pointer copyStream() {
    return copyStream;
  }

  /** What the library knows an operation by. */
  long hash(String operation) {
    Long hash = hashes.get(operation);
    if (hash == null) {
      throw new IllegalStateException("nd4j: this library has no operation " + operation);
    }
    return hash;
  }

  long deviceAddress(OpaqueDataBuffer buffer) {
    return (isGpu() ? ops.dbSpecialBuffer(buffer) : ops.dbPrimaryBuffer(buffer)).address();
  }

  /** Copies and waits. */
  void copyToDevice(Pointer device, Pointer host, long bytes) {
    copy(device, host, bytes, 1);
  }

  /** Copies and waits. */
  void copyToHost(Pointer host, Pointer device, long bytes) {
    copy(host, device, bytes, 2);
  }

  private void copy(Pointer to, Pointer from, long bytes, int direction) {
    if (!isGpu()) {
      Pointer.memcpy(to, from, bytes);
    } else if (ops.memcpySync(to, from, bytes, direction, null) == 0) {
      check("memcpySync");
      throw new IllegalStateException("nd4j: memcpySync failed");
    }
  }

  /**
   * @throws IllegalStateException where a native call has left an error
   */
  void check(String call) {
    int code = ops.lastErrorCode();
    if (code != 0) {
      throw new IllegalStateException(
          "nd4j: %s: error %d: %s".formatted(call, code, ops.lastErrorMessage()));
    }
  }
}
