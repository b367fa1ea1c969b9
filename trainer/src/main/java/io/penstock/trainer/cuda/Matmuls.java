package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.penstock.config.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Products by cuBLASLt. Its matrices are column-major, ours line by line, so that it sees the transpose of each: C = op(A) op(B)
 * is asked for as Cᵀ = op(B)ᵀ op(A)ᵀ. The algorithm is the library's first choice for the shape, a function of shape, alignment,
 * GPU and version; nothing is timed.
 */
final class Matmuls {
  private static final long WORKSPACE_BYTES = 32L << 20;
  private static final int MOST_ALIGNMENT = 256;

  private final CudaContext context;
  private final Precision precision;
  private final Arena arena = Arena.ofShared();
  private final long handle;
  private final long workspace;
  private final long one;
  private final long zero;

  /** A matrix in memory. */
  record Operand(long address, int lines, int columns, int stride) {}

  Matmuls(CudaContext context, Precision precision) {
    this.context = context;
    this.precision = precision;
    context.onClose(arena::close);
    handle = CublasLt.create();
    context.onClose(() -> CublasLt.destroy(handle));
    workspace = context.memory(WORKSPACE_BYTES);
    one = arena.allocateFrom(JAVA_FLOAT, 1f).address();
    zero = arena.allocateFrom(JAVA_FLOAT, 0f).address();
  }

  /** C = op(A) op(B). */
  Launch multiply(Operand a, boolean transposeA, Operand b, boolean transposeB, Operand c) {
    long desc = CublasLt.matmulDescCreate(computeType(), CublasLt.CUDA_R_32F);
    context.onClose(() -> CublasLt.matmulDescDestroy(desc));
    CublasLt.matmulDescSetAttribute(desc, CublasLt.CUBLASLT_MATMUL_DESC_TRANSA, op(transposeB));
    CublasLt.matmulDescSetAttribute(desc, CublasLt.CUBLASLT_MATMUL_DESC_TRANSB, op(transposeA));
    long first = layout(b);
    long second = layout(a);
    long result = layout(c);
    MemorySegment algorithm = arena.allocate(CublasLt.HEURISTIC_RESULT_BYTES, Long.BYTES);
    long preference = preference(a, b, c);
    try {
      if (!CublasLt.heuristic(handle, desc, first, second, result, preference, algorithm)) {
        throw new IllegalStateException(
            "cuda: cuBLASLt has no algorithm for %s times %s into %s at %s"
                .formatted(a, b, c, precision));
      }
    } finally {
      CublasLt.preferenceDestroy(preference);
    }
    long chosen = algorithm.address();
    return stream ->
        CublasLt.matmul(
            handle,
            desc,
            one,
            b.address(),
            first,
            a.address(),
            second,
            zero,
            c.address(),
            result,
            chosen,
            workspace,
            WORKSPACE_BYTES,
            stream);
  }

  private int computeType() {
    return switch (precision) {
      case FLOAT32 -> CublasLt.CUBLAS_COMPUTE_32F;
      case TF32 -> CublasLt.CUBLAS_COMPUTE_32F_FAST_TF32;
      case BF16 -> CublasLt.CUBLAS_COMPUTE_32F_FAST_16BF;
    };
  }

  private static int op(boolean transpose) {
    return transpose ? CublasLt.CUBLAS_OP_T : CublasLt.CUBLAS_OP_N;
  }

  private long layout(Operand matrix) {
    long layout =
        CublasLt.matrixLayoutCreate(
            CublasLt.CUDA_R_32F, matrix.columns(), matrix.lines(), matrix.stride());
    context.onClose(() -> CublasLt.matrixLayoutDestroy(layout));
    return layout;
  }

  private static long preference(Operand a, Operand b, Operand c) {
    long preference = CublasLt.preferenceCreate();
    CublasLt.preferenceSetAttribute(
        preference, CublasLt.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, WORKSPACE_BYTES);
    CublasLt.preferenceSetAttribute(
        preference,
        CublasLt.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        CublasLt.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
    CublasLt.preferenceSetAttribute(
        preference, CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(b));
    CublasLt.preferenceSetAttribute(
        preference, CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(a));
    CublasLt.preferenceSetAttribute(
        preference, CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(c));
    CublasLt.preferenceSetAttribute(
        preference, CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(c));
    return preference;
  }

  /** What can be relied on; the library assumes 256 otherwise. */
  private static int alignment(Operand matrix) {
    return (int) Math.min(MOST_ALIGNMENT, Long.lowestOneBit(matrix.address()));
  }
}
