package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Matrix products on the GPU (cublasLt.h). */
final class CublasLt {
  /** System property that names the library. */
  static final String PROPERTY = "penstock.cuda.cublaslt";

  static final int CUBLAS_STATUS_SUCCESS = 0;
  static final int CUBLAS_OP_N = 0;
  static final int CUBLAS_OP_T = 1;
  static final int CUDA_R_32F = 0;
  static final int CUBLAS_COMPUTE_32F = 68;
  static final int CUBLAS_COMPUTE_32F_FAST_16BF = 75;
  static final int CUBLAS_COMPUTE_32F_FAST_TF32 = 77;
  static final int CUBLASLT_MATMUL_DESC_TRANSA = 3;
  static final int CUBLASLT_MATMUL_DESC_TRANSB = 4;
  static final int CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1;
  static final int CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3;
  static final int CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5;
  static final int CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6;
  static final int CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7;
  static final int CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8;

  /** Partial sums are added up in the type of the computation, in a fixed order, from the workspace. */
  static final int CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE = 2;

  /** Size of cublasLtMatmulHeuristicResult_t, which begins with the cublasLtMatmulAlgo_t. */
  static final int HEURISTIC_RESULT_BYTES = 96;

  static final NativeLibrary LIBRARY =
      NativeLibrary.find(
          "cuBLASLt",
          PROPERTY,
          List.of("libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"),
          NativeLibrary.cudaFolders());

  private static final MethodHandle CUBLAS_LT_CREATE =
      LIBRARY.function("cublasStatus_t cublasLtCreate(cublasLtHandle_t*)");
  private static final MethodHandle CUBLAS_LT_DESTROY =
      LIBRARY.function("cublasStatus_t cublasLtDestroy(cublasLtHandle_t)");
  private static final MethodHandle CUBLAS_LT_GET_VERSION =
      LIBRARY.function("size_t cublasLtGetVersion()");
  private static final MethodHandle CUBLAS_LT_GET_STATUS_NAME =
      LIBRARY.function("const char* cublasLtGetStatusName(cublasStatus_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_DESC_CREATE =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t*, cublasComputeType_t, cudaDataType_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_DESC_DESTROY =
      LIBRARY.function("cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_DESC_SET_ATTRIBUTE =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t, const void*, size_t)");
  private static final MethodHandle CUBLAS_LT_MATRIX_LAYOUT_CREATE =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t*, cudaDataType, uint64_t, uint64_t, int64_t)");
  private static final MethodHandle CUBLAS_LT_MATRIX_LAYOUT_DESTROY =
      LIBRARY.function("cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_PREFERENCE_CREATE =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t*)");
  private static final MethodHandle CUBLAS_LT_MATMUL_PREFERENCE_DESTROY =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_PREFERENCE_SET_ATTRIBUTE =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, const void*, size_t)");
  private static final MethodHandle CUBLAS_LT_MATMUL_ALGO_GET_HEURISTIC =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int, cublasLtMatmulHeuristicResult_t*, int*)");
  private static final MethodHandle CUBLAS_LT_MATMUL =
      LIBRARY.function(
          "cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void*, cublasLtMatrixLayout_t, const void*, cublasLtMatrixLayout_t, const void*, const void*, cublasLtMatrixLayout_t, void*, cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t*, void*, size_t, cudaStream_t)");

  private CublasLt() {}

  private static void check(int code, String call) {
    if (code != CUBLAS_STATUS_SUCCESS) {
      String name;
      try {
        name = Cuda.string((long) CUBLAS_LT_GET_STATUS_NAME.invokeExact(code));
      } catch (Throwable t) {
        throw NativeLibrary.unexpected(t);
      }
      throw CudaException.ofLibrary(call, code, name);
    }
  }

  /** 10000 major + 100 minor + patch. */
  static long version() {
    try {
      return (long) CUBLAS_LT_GET_VERSION.invokeExact();
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static long create() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) CUBLAS_LT_CREATE.invokeExact(out.address()), "cublasLtCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void destroy(long handle) {
    int code;
    try {
      code = (int) CUBLAS_LT_DESTROY.invokeExact(handle);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cublasLtDestroy");
  }

  static long matmulDescCreate(int computeType, int scaleType) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int) CUBLAS_LT_MATMUL_DESC_CREATE.invokeExact(out.address(), computeType, scaleType),
          "cublasLtMatmulDescCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void matmulDescDestroy(long desc) {
    int code;
    try {
      code = (int) CUBLAS_LT_MATMUL_DESC_DESTROY.invokeExact(desc);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cublasLtMatmulDescDestroy");
  }

  /** Sets an attribute of 4 bytes. */
  static void matmulDescSetAttribute(long desc, int attribute, int value) {
    try (Arena arena = Arena.ofConfined()) {
      check(
          (int)
              CUBLAS_LT_MATMUL_DESC_SET_ATTRIBUTE.invokeExact(
                  desc, attribute, arena.allocateFrom(JAVA_INT, value).address(), 4L),
          "cublasLtMatmulDescSetAttribute");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** Column-major. */
  static long matrixLayoutCreate(int type, long rows, long columns, long stride) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int)
              CUBLAS_LT_MATRIX_LAYOUT_CREATE.invokeExact(
                  out.address(), type, rows, columns, stride),
          "cublasLtMatrixLayoutCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void matrixLayoutDestroy(long layout) {
    int code;
    try {
      code = (int) CUBLAS_LT_MATRIX_LAYOUT_DESTROY.invokeExact(layout);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cublasLtMatrixLayoutDestroy");
  }

  static long preferenceCreate() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check(
          (int) CUBLAS_LT_MATMUL_PREFERENCE_CREATE.invokeExact(out.address()),
          "cublasLtMatmulPreferenceCreate");
      return out.get(JAVA_LONG, 0);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  static void preferenceDestroy(long preference) {
    int code;
    try {
      code = (int) CUBLAS_LT_MATMUL_PREFERENCE_DESTROY.invokeExact(preference);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cublasLtMatmulPreferenceDestroy");
  }

  /** Sets an attribute of 4 bytes. */
  static void preferenceSetAttribute(long preference, int attribute, int value) {
    preferenceSet(preference, attribute, value, Integer.BYTES);
  }

  /** Sets an attribute of 8 bytes. */
  static void preferenceSetAttribute(long preference, int attribute, long value) {
    preferenceSet(preference, attribute, value, Long.BYTES);
  }

  private static void preferenceSet(long preference, int attribute, long value, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      // Little-endian: the first bytes of a long are an int.
      check(
          (int)
              CUBLAS_LT_MATMUL_PREFERENCE_SET_ATTRIBUTE.invokeExact(
                  preference, attribute, arena.allocateFrom(JAVA_LONG, value).address(), bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /**
   * The library's first choice for a product.
   *
   * @param result {@link #HEURISTIC_RESULT_BYTES}, filled
   * @return whether there is one
   */
  static boolean heuristic(
      long handle, long desc, long a, long b, long c, long preference, MemorySegment result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(JAVA_INT);
      check(
          (int)
              CUBLAS_LT_MATMUL_ALGO_GET_HEURISTIC.invokeExact(
                  handle, desc, a, b, c, c, preference, 1, result.address(), found.address()),
          "cublasLtMatmulAlgoGetHeuristic");
      return found.get(JAVA_INT, 0) > 0;
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** c = alpha op(a) op(b) + beta c. */
  static void matmul(
      long handle,
      long desc,
      long alpha,
      long a,
      long aLayout,
      long b,
      long bLayout,
      long beta,
      long c,
      long cLayout,
      long algorithm,
      long workspace,
      long workspaceBytes,
      long stream) {
    int code;
    try {
      code =
          (int)
              CUBLAS_LT_MATMUL.invokeExact(
                  handle,
                  desc,
                  alpha,
                  a,
                  aLayout,
                  b,
                  bLayout,
                  beta,
                  c,
                  cLayout,
                  c,
                  cLayout,
                  algorithm,
                  workspace,
                  workspaceBytes,
                  stream);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    check(code, "cublasLtMatmul");
  }
}
