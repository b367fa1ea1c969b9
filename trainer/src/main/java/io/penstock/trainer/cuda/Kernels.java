package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/** The compiled kernels in a context, ready to be launched. */
final class Kernels {
  /** Threads of a block, THREADS of penstock.cuh. */
  static final int THREADS = 256;

  private static final int MOST_LINES = 65_535;

  /** Shared memory that every block may have without being told so. */
  private static final int PLAIN_SHARED_BYTES = 48 << 10;

  private final Map<KernelSource, Long> modules = new EnumMap<>(KernelSource.class);
  private final Arena arena = Arena.ofShared();

  private final CudaContext context;
  private final String architecture;

  Kernels(CudaContext context, String architecture) {
    this.context = context;
    this.architecture = architecture;
    context.onClose(arena::close);
  }

  /** Compiled and loaded when the first of its kernels is asked for. */
  private long module(KernelSource source) {
    Long loaded = modules.get(source);
    if (loaded != null) {
      return loaded;
    }
    byte[] code = source.compile(architecture);
    try (Arena image = Arena.ofConfined()) {
      long module = Cuda.moduleLoadData(image.allocateFrom(JAVA_BYTE, code));
      context.onClose(() -> Cuda.moduleUnload(module));
      modules.put(source, module);
      return module;
    }
  }

  /** A launch of {@code blocks} blocks of all threads, each with so much shared memory beside its kernel's own. */
  Launch blocks(
      KernelSource source, String kernel, int blocks, int sharedBytes, Object... arguments) {
    return launch(source, kernel, blocks, 1, THREADS, sharedBytes, arguments);
  }

  /** A launch of one thread. */
  Launch single(KernelSource source, String kernel, Object... arguments) {
    return launch(source, kernel, 1, 1, 1, 0, arguments);
  }

  /** A thread for each column; blocks share the lines. */
  Launch columns(KernelSource source, String kernel, int columns, int lines, Object... arguments) {
    return launch(
        source, kernel, blocksOf(columns), Math.min(lines, MOST_LINES), THREADS, 0, arguments);
  }

  static int blocksOf(int threads) {
    return (threads + THREADS - 1) / THREADS;
  }

  private Launch launch(
      KernelSource source,
      String kernel,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      Object... arguments) {
    long function = Cuda.moduleGetFunction(module(source), kernel);
    if (sharedBytes > PLAIN_SHARED_BYTES) {
      Cuda.funcSetAttribute(
          function, Cuda.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes);
    }
    long parameters = parameters(arguments);
    return stream ->
        Cuda.launchKernel(function, gridX, gridY, threads, sharedBytes, stream, parameters);
  }

  /** Address of an array of the arguments' addresses, which live as long as the context. */
  private long parameters(Object... arguments) {
    MemorySegment array = arena.allocate(JAVA_LONG, arguments.length);
    for (int i = 0; i < arguments.length; i++) {
      MemorySegment value =
          switch (arguments[i]) {
            case Long v -> arena.allocateFrom(JAVA_LONG, v);
            case Integer v -> arena.allocateFrom(JAVA_INT, v);
            case Float v -> arena.allocateFrom(JAVA_FLOAT, v);
            case Double v -> arena.allocateFrom(JAVA_DOUBLE, v);
            // Structs of one kind of number.
            case int[] v -> arena.allocateFrom(JAVA_INT, v);
            case float[] v -> arena.allocateFrom(JAVA_FLOAT, v);
            default -> throw new IllegalArgumentException("argument " + arguments[i]);
          };
      array.setAtIndex(JAVA_LONG, i, value.address());
    }
    return array.address();
  }
}
