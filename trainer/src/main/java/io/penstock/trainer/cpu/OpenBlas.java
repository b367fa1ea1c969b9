package io.penstock.trainer.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** OpenBLAS through its C interface (cblas.h), on one thread. Loaded by the first program that has a matrix for it. */
final class OpenBlas {
  private static final int CBLAS_ROW_MAJOR = 101;
  private static final int CBLAS_NO_TRANS = 111;
  private static final int CBLAS_TRANS = 112;

  private static final @Nullable RuntimeException FAILURE;
  private static final MethodHandle SGEMM;

  static {
    RuntimeException failure = null;
    MethodHandle sgemm = null;
    try {
      sgemm = load();
    } catch (RuntimeException e) {
      failure = e;
    }
    FAILURE = failure;
    SGEMM = sgemm == null ? unavailable() : sgemm;
  }

  private OpenBlas() {}

  /** Fails, saying why, where the library cannot be used. */
  static void require() {
    if (FAILURE != null) {
      throw new IllegalStateException(
          "cpu: OpenBLAS cannot be used: " + FAILURE.getMessage(), FAILURE);
    }
  }

  /** C = op(A) op(B), row-major: m × n, depth k; strides in floats. */
  static void sgemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      long a,
      int aStride,
      long b,
      int bStride,
      long c,
      int cStride) {
    try {
      SGEMM.invokeExact(
          CBLAS_ROW_MAJOR,
          transposeA ? CBLAS_TRANS : CBLAS_NO_TRANS,
          transposeB ? CBLAS_TRANS : CBLAS_NO_TRANS,
          m,
          n,
          k,
          1f,
          MemorySegment.ofAddress(a),
          aStride,
          MemorySegment.ofAddress(b),
          bStride,
          0f,
          MemorySegment.ofAddress(c),
          cStride);
    } catch (Throwable t) {
      throw new IllegalStateException("cblas_sgemm could not be called", t);
    }
  }

  private static MethodHandle load() {
    SymbolLookup library = null;
    for (Path file : OpenBlasFiles.extract()) {
      // In the order of their dependencies: the linker finds what is already loaded by its name.
      library = SymbolLookup.libraryLookup(file, Arena.global());
    }
    SymbolLookup openBlas = java.util.Objects.requireNonNull(library);
    try {
      Linker.nativeLinker()
          .downcallHandle(
              openBlas.findOrThrow("openblas_set_num_threads"), FunctionDescriptor.ofVoid(JAVA_INT))
          .invokeExact(1);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException("openblas_set_num_threads could not be called", t);
    }
    return Linker.nativeLinker()
        .downcallHandle(
            openBlas.findOrThrow("cblas_sgemm"),
            FunctionDescriptor.ofVoid(
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT,
                ADDRESS,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT));
  }

  /** Stands in for what could not be loaded; {@link #require} has said so before anything gets here. */
  private static MethodHandle unavailable() {
    return java.lang.invoke.MethodHandles.throwException(void.class, IllegalStateException.class);
  }
}
