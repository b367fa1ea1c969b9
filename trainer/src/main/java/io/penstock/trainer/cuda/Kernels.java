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
import java.util.Objects;

/** The compiled kernels in a context, ready to be launched. */
final class Kernels {
  /** Threads of a block, THREADS of penstock.cuh. */
  static final int THREADS = 256;

  private static final int MOST_LINES = 65_535;

  private final Map<KernelSource, Long> modules = new EnumMap<>(KernelSource.class);
  private final Arena arena = Arena.ofShared();

  Kernels(CudaContext context, String architecture) {
    context.onClose(arena::close);
    for (KernelSource source : KernelSource.values()) {
      byte[] code = source.compile(architecture);
      try (Arena image = Arena.ofConfined()) {
        long module = Cuda.moduleLoadData(image.allocateFrom(JAVA_BYTE, code));
        context.onClose(() -> Cuda.moduleUnload(module));
        modules.put(source, module);
      }
    }
  }

  /** A launch of {@code blocks} blocks of all threads. */
  Launch blocks(KernelSource source, String kernel, int blocks, Object... arguments) {
    return launch(source, kernel, blocks, 1, THREADS, arguments);
  }

  /** A launch of one thread. */
  Launch single(KernelSource source, String kernel, Object... arguments) {
    return launch(source, kernel, 1, 1, 1, arguments);
  }

  /** A thread for each column; blocks share the lines. */
  Launch columns(KernelSource source, String kernel, int columns, int lines, Object... arguments) {
    return launch(
        source, kernel, blocksOf(columns), Math.min(lines, MOST_LINES), THREADS, arguments);
  }

  static int blocksOf(int threads) {
    return (threads + THREADS - 1) / THREADS;
  }

  private Launch launch(
      KernelSource source, String kernel, int gridX, int gridY, int threads, Object... arguments) {
    long function = Cuda.moduleGetFunction(Objects.requireNonNull(modules.get(source)), kernel);
    long parameters = parameters(arguments);
    return stream -> Cuda.launchKernel(function, gridX, gridY, threads, stream, parameters);
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
            default -> throw new IllegalArgumentException("argument " + arguments[i]);
          };
      array.setAtIndex(JAVA_LONG, i, value.address());
    }
    return array.address();
  }
}
