package io.penstock.trainer.nd4j;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** The machine's NVIDIA GPUs, asked of the driver itself: so that nothing of ND4J need be loaded to say that it cannot run. */
final class Gpus {
  private static final String LIBRARY = "libcuda.so.1";
  private static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
  private static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
  private static final int NAME_BYTES = 256;

  private Gpus() {}

  /**
   * One of them.
   *
   * @param memoryBytes all it has
   */
  record Gpu(String name, int major, int minor, long memoryBytes) {
    @Override
    public String toString() {
      return "%s (compute capability %d.%d, %.1f GiB)"
          .formatted(name, major, minor, memoryBytes / (double) (1 << 30));
    }
  }

  /**
   * The first GPU, which ND4J runs on.
   *
   * @throws IllegalStateException where there is none, or ND4J has no machine code for it
   */
  static Gpu require() {
    List<Gpu> gpus = find();
    if (gpus.isEmpty()) {
      throw new IllegalStateException("nd4j-cuda: the driver finds no GPU; take device cpu");
    }
    Gpu gpu = gpus.getFirst();
    refuse(gpu);
    return gpu;
  }

  /** Fails for a GPU that the published library has no machine code for: nothing would run, and its errors would not say why. */
  static void refuse(Gpu gpu) {
    if (!MachineCode.PUBLISHED.runsOn(gpu.major(), gpu.minor())) {
      throw new IllegalStateException(
          "nd4j-cuda: it has machine code for %s and no PTX, so it cannot run on %s; take device %s"
              .formatted(MachineCode.PUBLISHED, gpu, gpu.major() >= 8 ? "cuda" : "cpu"));
    }
  }

  private static List<Gpu> find() {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup cuda = SymbolLookup.libraryLookup(LIBRARY, arena);
      check(handle(cuda, "cuInit", JAVA_INT), "cuInit", 0);
      MemorySegment count = arena.allocate(JAVA_INT);
      check(handle(cuda, "cuDeviceGetCount", ADDRESS), "cuDeviceGetCount", count);
      List<Gpu> gpus = new ArrayList<>();
      for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
        gpus.add(gpu(cuda, i, arena));
      }
      return gpus;
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          "nd4j-cuda: the NVIDIA driver's %s is not there".formatted(LIBRARY), e);
    }
  }

  private static Gpu gpu(SymbolLookup cuda, int index, Arena arena) {
    MemorySegment device = arena.allocate(JAVA_INT);
    check(handle(cuda, "cuDeviceGet", ADDRESS, JAVA_INT), "cuDeviceGet", device, index);
    int number = device.get(JAVA_INT, 0);
    MemorySegment name = arena.allocate(NAME_BYTES);
    check(
        handle(cuda, "cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT),
        "cuDeviceGetName",
        name,
        NAME_BYTES,
        number);
    MemorySegment bytes = arena.allocate(JAVA_LONG);
    check(
        handle(cuda, "cuDeviceTotalMem_v2", ADDRESS, JAVA_INT),
        "cuDeviceTotalMem_v2",
        bytes,
        number);
    return new Gpu(
        name.getString(0),
        attribute(cuda, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, number, arena),
        attribute(cuda, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, number, arena),
        bytes.get(JAVA_LONG, 0));
  }

  private static int attribute(SymbolLookup cuda, int attribute, int device, Arena arena) {
    MemorySegment value = arena.allocate(JAVA_INT);
    check(
        handle(cuda, "cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT),
        "cuDeviceGetAttribute",
        value,
        attribute,
        device);
    return value.get(JAVA_INT, 0);
  }

  private static MethodHandle handle(
      SymbolLookup cuda, String name, java.lang.foreign.MemoryLayout... parameters) {
    return Linker.nativeLinker()
        .downcallHandle(cuda.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, parameters));
  }

  private static void check(MethodHandle function, String name, Object... arguments) {
    int code;
    try {
      code = (int) function.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw new IllegalStateException(name + " could not be called", t);
    }
    if (code != 0) {
      throw new IllegalStateException("nd4j-cuda: %s: CUDA error %d".formatted(name, code));
    }
  }
}
