package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;

/** NVIDIA's compiler for kernels (nvrtc.h). */
final class Nvrtc {
  /** System property that names the library. */
  static final String PROPERTY = "penstock.cuda.nvrtc";

  static final int NVRTC_SUCCESS = 0;
  static final int NVRTC_ERROR_COMPILATION = 6;

  static final NativeLibrary LIBRARY =
      NativeLibrary.find(
          "NVRTC",
          PROPERTY,
          List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"),
          NativeLibrary.cudaFolders());

  private static final MethodHandle NVRTC_VERSION =
      LIBRARY.function("nvrtcResult nvrtcVersion(int*, int*)");
  private static final MethodHandle NVRTC_CREATE_PROGRAM =
      LIBRARY.function(
          "nvrtcResult nvrtcCreateProgram(nvrtcProgram*, const char*, const char*, int, const char* const*, const char* const*)");
  private static final MethodHandle NVRTC_DESTROY_PROGRAM =
      LIBRARY.function("nvrtcResult nvrtcDestroyProgram(nvrtcProgram*)");
  private static final MethodHandle NVRTC_COMPILE_PROGRAM =
      LIBRARY.function("nvrtcResult nvrtcCompileProgram(nvrtcProgram, int, const char* const*)");
  private static final MethodHandle NVRTC_GET_CUBINSIZE =
      LIBRARY.function("nvrtcResult nvrtcGetCUBINSize(nvrtcProgram, size_t*)");
  private static final MethodHandle NVRTC_GET_CUBIN =
      LIBRARY.function("nvrtcResult nvrtcGetCUBIN(nvrtcProgram, char*)");
  private static final MethodHandle NVRTC_GET_PROGRAM_LOG_SIZE =
      LIBRARY.function("nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram, size_t*)");
  private static final MethodHandle NVRTC_GET_PROGRAM_LOG =
      LIBRARY.function("nvrtcResult nvrtcGetProgramLog(nvrtcProgram, char*)");
  private static final MethodHandle NVRTC_GET_ERROR_STRING =
      LIBRARY.function("const char* nvrtcGetErrorString(nvrtcResult)");

  private Nvrtc() {}

  private static void check(int code, String call) {
    if (code != NVRTC_SUCCESS) {
      String name;
      try {
        name = Cuda.string((long) NVRTC_GET_ERROR_STRING.invokeExact(code));
      } catch (Throwable t) {
        throw NativeLibrary.unexpected(t);
      }
      throw CudaException.ofLibrary(call, code, name);
    }
  }

  /** 1000 major + 10 minor. */
  static int version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT, 2);
      check(
          (int) NVRTC_VERSION.invokeExact(out.address(), out.address() + Integer.BYTES),
          "nvrtcVersion");
      return 1000 * out.getAtIndex(JAVA_INT, 0) + 10 * out.getAtIndex(JAVA_INT, 1);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /**
   * Compiles to machine code.
   *
   * @param name of the file, for messages
   * @param headers what the source may include, text by name
   * @throws IllegalStateException with the compiler's messages
   */
  static byte[] compile(
      String source, String name, Map<String, String> headers, List<String> options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(JAVA_LONG);
      check(
          (int)
              NVRTC_CREATE_PROGRAM.invokeExact(
                  program.address(),
                  arena.allocateFrom(source).address(),
                  arena.allocateFrom(name).address(),
                  headers.size(),
                  strings(arena, List.copyOf(headers.values())),
                  strings(arena, List.copyOf(headers.keySet()))),
          "nvrtcCreateProgram");
      try {
        return compile(arena, program.get(JAVA_LONG, 0), name, options);
      } finally {
        check((int) NVRTC_DESTROY_PROGRAM.invokeExact(program.address()), "nvrtcDestroyProgram");
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  private static byte[] compile(Arena arena, long program, String name, List<String> options)
      throws Throwable {
    int code =
        (int) NVRTC_COMPILE_PROGRAM.invokeExact(program, options.size(), strings(arena, options));
    MemorySegment size = arena.allocate(JAVA_LONG);
    if (code == NVRTC_ERROR_COMPILATION) {
      check(
          (int) NVRTC_GET_PROGRAM_LOG_SIZE.invokeExact(program, size.address()),
          "nvrtcGetProgramLogSize");
      MemorySegment log = arena.allocate(size.get(JAVA_LONG, 0) + 1);
      check((int) NVRTC_GET_PROGRAM_LOG.invokeExact(program, log.address()), "nvrtcGetProgramLog");
      throw new IllegalStateException(
          "cuda: NVRTC cannot compile %s (%s): %s".formatted(name, options, log.getString(0)));
    }
    check(code, "nvrtcCompileProgram of " + name + " with " + options);
    check((int) NVRTC_GET_CUBINSIZE.invokeExact(program, size.address()), "nvrtcGetCUBINSize");
    MemorySegment cubin = arena.allocate(size.get(JAVA_LONG, 0));
    check((int) NVRTC_GET_CUBIN.invokeExact(program, cubin.address()), "nvrtcGetCUBIN");
    return cubin.toArray(JAVA_BYTE);
  }

  private static long strings(Arena arena, List<String> values) {
    MemorySegment array = arena.allocate(JAVA_LONG, Math.max(1, values.size()));
    for (int i = 0; i < values.size(); i++) {
      array.setAtIndex(JAVA_LONG, i, arena.allocateFrom(values.get(i)).address());
    }
    return array.address();
  }
}
