package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.config.Precision;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * A library that stands in for libcuda.so.1, NVRTC and cuBLASLt, with our kernels compiled as C++: see {@code emulator.cpp}.
 * Built by g++ once a JVM; where there is none, tests that ask for it are skipped.
 */
final class EmulatedCuda {
  /** What the emulator counts; the names are those of emulator.cpp. */
  enum Count {
    DEVICE_LIVE(0),
    PINNED_LIVE(1),
    STREAM_LIVE(2),
    EVENT_LIVE(3),
    GRAPH_LIVE(4),
    MODULE_LIVE(5),
    CUBLAS_LIVE(6),
    ALLOCATIONS(7),
    CORRUPTED(8),
    LAUNCHES(9),
    MISUSES(10),
    REORDERED(11),
    CONTEXTS(12),
    LIVE_BYTES(13);

    private final int code;

    Count(int code) {
      this.code = code;
    }
  }

  private static final Pattern KERNEL = Pattern.compile("__global__ void (\\w+)\\(");
  private static final String LIBRARY = "libemulated-cuda.so";
  private static final List<String> SOURCES = List.of("emulator.cpp", "shim.h");

  private static @Nullable EmulatedCuda instance;
  private static @Nullable String absence;

  private final MethodHandle reset;
  private final MethodHandle count;
  private final MethodHandle fail;
  private final MethodHandle machine;
  private final MethodHandle shared;
  private final MethodHandle timed;
  private final MethodHandle traceFromHere;
  private final MethodHandle traced;
  private final MethodHandle trace;

  private EmulatedCuda(Path library) {
    SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
    reset = handle(symbols, "emuReset", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT));
    count = handle(symbols, "emuCount", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
    fail = handle(symbols, "emuFail", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT));
    machine =
        handle(symbols, "emuMachine", FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_LONG));
    shared = handle(symbols, "emuShared", FunctionDescriptor.ofVoid(JAVA_INT));
    timed = handle(symbols, "emuTimed", FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT));
    traceFromHere = handle(symbols, "emuTraceFromHere", FunctionDescriptor.ofVoid());
    traced = handle(symbols, "emuTraced", FunctionDescriptor.of(JAVA_LONG));
    trace = handle(symbols, "emuTrace", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT));
  }

  private static MethodHandle handle(
      SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
  }

  /** The emulator, its machine as new; work is done as soon as it is asked for. */
  static EmulatedCuda atOnce() {
    return get(0, false);
  }

  /** The emulator, its machine as new; work is done late, and out of step as {@code seed} says. */
  static EmulatedCuda late(long seed) {
    return get(seed, true);
  }

  /**
   * The emulator, its machine as new; streams run beside each other in ticks, and what they do is traced.
   *
   * @param mostDelay ticks by which an event may be late, as {@code seed} says
   */
  static EmulatedCuda timed(long seed, int copyTicks, int kernelTicks, int mostDelay) {
    EmulatedCuda cuda = get(seed, false);
    try {
      cuda.timed.invokeExact(copyTicks, kernelTicks, mostDelay);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    return cuda;
  }

  /** A copy to the device, or a graph's run. */
  record Span(boolean isGraph, long begin, long end) {
    boolean overlaps(Span other) {
      return begin < other.end && other.begin < end;
    }
  }

  /** Forgets what was traced. */
  void traceFromHere() {
    try {
      traceFromHere.invokeExact();
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** Copies to the device, or graphs, in the order of the calls for them. */
  List<Span> traced(boolean graphs) {
    List<Span> spans = new ArrayList<>();
    try {
      long count = (long) traced.invokeExact();
      for (long i = 0; i < count; i++) {
        if (((long) trace.invokeExact(i, 0) == 1) == graphs) {
          spans.add(
              new Span(graphs, (long) trace.invokeExact(i, 1), (long) trace.invokeExact(i, 2)));
        }
      }
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    return spans;
  }

  /** Has the bindings of this JVM find the emulator, where it can be built, whichever test comes first. */
  static synchronized void prepare() {
    if (instance == null && absence == null) {
      instance = build();
    }
  }

  private static synchronized EmulatedCuda get(long seed, boolean late) {
    prepare();
    Assumptions.assumeTrue(absence == null, () -> "no CUDA emulator: " + absence);
    EmulatedCuda cuda = java.util.Objects.requireNonNull(instance);
    try {
      cuda.reset.invokeExact(seed, late ? 1 : 0);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
    return cuda;
  }

  /** A device of the emulator. */
  CudaDevice device() {
    return device(Planning.BY_SHAPE);
  }

  /** The same, with plans of one kind. */
  CudaDevice device(Planning planning) {
    return CudaDevice.of(0, Precision.FLOAT32, planning, 3);
  }

  /** Another size of the shared memory of a block, until the next reset. */
  void sharedMemory(int bytes) {
    try {
      shared.invokeExact(bytes);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  long count(Count what) {
    try {
      return (long) count.invokeExact(what.code);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** The next call of {@code function} fails; with 700, as if a kernel had failed before it. */
  void failNext(String function, int code) {
    try (Arena arena = Arena.ofConfined()) {
      // The emulator copies the name.
      fail.invokeExact(arena.allocateFrom(function), code);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** Another GPU, driver or size of memory, until the next reset. */
  void machine(int capability, int driver, long memoryBytes) {
    try {
      machine.invokeExact(capability, driver, memoryBytes);
    } catch (Throwable t) {
      throw NativeLibrary.unexpected(t);
    }
  }

  /** Builds the emulator into a folder that exists, and prints the library's path: to have another JVM load it. */
  public static void main(String[] args) throws IOException {
    Path library = Path.of(args[0]).toAbsolutePath().resolve(LIBRARY);
    String absence = write(library);
    if (absence != null) {
      throw new IllegalStateException("no CUDA emulator: " + absence);
    }
    System.out.println(library);
  }

  private static @Nullable String write(Path library) throws IOException {
    Path folder = java.util.Objects.requireNonNull(library.getParent());
    for (String source : SOURCES) {
      try (InputStream in = EmulatedCuda.class.getResourceAsStream("/emulated-cuda/" + source)) {
        Files.write(folder.resolve(source), java.util.Objects.requireNonNull(in).readAllBytes());
      }
    }
    writeKernels(folder);
    return compile(folder, library);
  }

  private static @Nullable EmulatedCuda build() {
    try {
      Path folder = Files.createTempDirectory("penstock-emulated-cuda");
      Path library = folder.resolve(LIBRARY);
      absence = write(library);
      if (absence != null) {
        return null;
      }
      for (String property : List.of(Cuda.PROPERTY, Nvrtc.PROPERTY, CublasLt.PROPERTY)) {
        System.setProperty(property, library.toString());
      }
      System.setProperty("penstock.cuda.cache", folder.resolve("cache").toString());
      return new EmulatedCuda(library);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The kernels' sources, and a table of them. */
  private static void writeKernels(Path folder) throws IOException {
    StringBuilder includes = new StringBuilder();
    StringBuilder table = new StringBuilder("static const std::vector<Signature> KERNELS = {\n");
    for (String header : KernelSource.HEADERS) {
      Files.writeString(folder.resolve(header), KernelSource.text(header));
    }
    for (KernelSource source : KernelSource.values()) {
      String text = KernelSource.text(source.file());
      Files.writeString(folder.resolve(source.file()), text);
      includes.append("#include \"").append(source.file()).append("\"\n");
      Matcher kernel = KERNEL.matcher(text);
      while (kernel.find()) {
        table.append("KERNEL(\"%s\", %s),\n".formatted(source.file(), kernel.group(1)));
      }
    }
    Files.writeString(folder.resolve("kernels.inc"), includes.append(table).append("};\n"));
  }

  /** Why there is no library; null where there is. */
  private static @Nullable String compile(Path folder, Path library) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "g++",
                "-std=c++17",
                "-O2",
                // Nothing is fused that was not written so.
                "-ffp-contract=off",
                "-U_FORTIFY_SOURCE",
                "-fPIC",
                "-shared",
                "-fvisibility=hidden",
                "-I."));
    command.addAll(KernelSource.definitions());
    command.addAll(List.of("-o", library.toString(), "emulator.cpp"));
    Process process;
    try {
      process =
          new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    } catch (IOException e) {
      return "there is no g++ (" + e.getMessage() + ")";
    }
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IllegalStateException("the CUDA emulator cannot be built: " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return null;
  }
}
