package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.util.Arrays;
import java.util.Set;

/**
 * A C function as its header declares it, without names of parameters: {@code CUresult cuMemAlloc_v2(CUdeviceptr*, size_t)}. What
 * the linker is told follows from it, and a test holds it against the header. Pointers and handles are longs here, so that calls
 * allocate nothing; enums are ints.
 */
record Prototype(String declaration) {
  private static final Set<String> WORDS =
      Set.of(
          "size_t",
          "uint64_t",
          "int64_t",
          "unsigned long long",
          "CUdeviceptr",
          "CUcontext",
          "CUstream",
          "CUevent",
          "CUgraph",
          "CUgraphExec",
          "CUmodule",
          "CUfunction",
          "nvrtcProgram",
          "cudaStream_t",
          "cublasLtHandle_t",
          "cublasLtMatmulDesc_t",
          "cublasLtMatrixLayout_t",
          "cublasLtMatmulPreference_t");

  String name() {
    String head = declaration.substring(0, declaration.indexOf('('));
    return head.substring(Math.max(head.lastIndexOf(' '), head.lastIndexOf('*')) + 1);
  }

  /** What it gives back: everything before the name. */
  String result() {
    return declaration.substring(0, declaration.indexOf(name() + "(")).strip();
  }

  String parameters() {
    return declaration.substring(declaration.indexOf('(') + 1, declaration.lastIndexOf(')'));
  }

  FunctionDescriptor descriptor() {
    MemoryLayout[] layouts =
        parameters().isEmpty()
            ? new MemoryLayout[0]
            : Arrays.stream(parameters().split(","))
                .map(type -> layout(type.strip()))
                .toArray(MemoryLayout[]::new);
    return FunctionDescriptor.of(layout(result()), layouts);
  }

  private static MemoryLayout layout(String type) {
    if (type.endsWith("*") || WORDS.contains(type)) {
      return JAVA_LONG;
    }
    return switch (type) {
      case "float" -> JAVA_FLOAT;
      case "double" -> JAVA_DOUBLE;
      default -> JAVA_INT;
    };
  }
}
