package io.penstock.trainer.cuda;

import io.penstock.config.Precision;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Program;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An NVIDIA GPU of compute capability 8.0 or more. Never run on a real one by its authors, see {@code src/docs/cuda.md}. */
public final class CudaDevice implements Device {
  private static final int LEAST_DRIVER = 12_000;
  private static final int LEAST_CAPABILITY = 80;
  private static final int TWINS = 3;

  private final int ordinal;
  private final Precision precision;
  private final Planning planning;
  private final int twins;
  private final String gpu;
  private final int capability;

  private CudaDevice(
      int ordinal, Precision precision, Planning planning, int twins, String gpu, int capability) {
    this.ordinal = ordinal;
    this.precision = precision;
    this.planning = planning;
    this.twins = twins;
    this.gpu = gpu;
    this.capability = capability;
  }

  /**
   * The GPU of a number, from 0 as the driver counts.
   *
   * @throws IllegalStateException where it cannot be used, with every reason found
   */
  public static CudaDevice of(int ordinal, Precision precision) {
    return of(ordinal, precision, Planning.ofProperty(), TWINS);
  }

  /**
   * The same.
   *
   * @param planning which plan programs get
   * @param twins slots that can be on the device at once, 2 to 4
   */
  static CudaDevice of(int ordinal, Precision precision, Planning planning, int twins) {
    if (twins < 2 || twins > 4) {
      throw new IllegalArgumentException("cuda: twins must be 2 to 4, not " + twins);
    }
    List<String> obstacles = new ArrayList<>();
    add(obstacles, Cuda.LIBRARY.failure());
    add(obstacles, Nvrtc.LIBRARY.failure());
    add(obstacles, CublasLt.LIBRARY.failure());
    CudaDevice device = null;
    if (Cuda.LIBRARY.failure() == null) {
      try {
        device = find(ordinal, precision, planning, twins, obstacles);
      } catch (CudaException e) {
        add(obstacles, e.getMessage());
      }
    }
    if (device == null || !obstacles.isEmpty()) {
      throw new IllegalStateException("cuda: " + String.join("; ", obstacles));
    }
    return device;
  }

  private static @Nullable CudaDevice find(
      int ordinal, Precision precision, Planning planning, int twins, List<String> obstacles) {
    int driver = Cuda.driverVersion();
    if (driver < LEAST_DRIVER) {
      obstacles.add(
          "the driver is too old: it knows CUDA %s, and 12.0 is needed".formatted(version(driver)));
    }
    Cuda.init();
    int count = Cuda.deviceCount();
    if (ordinal >= count) {
      obstacles.add("there is no GPU %d; GPUs found: %d".formatted(ordinal, count));
      return null;
    }
    int device = Cuda.device(ordinal);
    int capability =
        10 * Cuda.deviceAttribute(Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device)
            + Cuda.deviceAttribute(Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    String name = Cuda.deviceName(device);
    if (capability < LEAST_CAPABILITY) {
      obstacles.add(
          "%s has compute capability %s, and 8.0 is needed".formatted(name, tenths(capability)));
    }
    if (Nvrtc.LIBRARY.failure() == null && Nvrtc.version() / 1000 > driver / 1000) {
      obstacles.add(
          "NVRTC %s is too new for the driver, which knows CUDA %s; name an older one by -D%s=FILE"
              .formatted(version(Nvrtc.version()), version(driver), Nvrtc.PROPERTY));
    }
    String gpu =
        "%s, compute capability %s, %d MiB, driver for CUDA %s"
            .formatted(
                name, tenths(capability), Cuda.deviceTotalMem(device) >> 20, version(driver));
    return new CudaDevice(ordinal, precision, planning, twins, gpu, capability);
  }

  private static void add(List<String> list, @Nullable String text) {
    if (text != null) {
      list.add(text);
    }
  }

  private static String version(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  private static String tenths(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  @Override
  public String name() {
    return ordinal == 0 ? "cuda" : "cuda:" + ordinal;
  }

  @Override
  public String description() {
    long blas = CublasLt.version();
    return "%s, NVRTC %s, cuBLASLt %d.%d, %s"
        .formatted(
            gpu,
            version(Nvrtc.version()),
            blas / 10_000,
            blas % 10_000 / 100,
            precision.name().toLowerCase(Locale.ROOT));
  }

  @Override
  public SlotMemory slotMemory() {
    return new CudaSlotMemory(new CudaContext(ordinal), new FreeMemory(Path.of("/")));
  }

  @Override
  public DeviceSession open(Program program, float[] parameters) {
    CudaContext context = new CudaContext(ordinal);
    try {
      return new CudaSession(
          program, parameters, context, Integer.toString(capability), precision, planning, twins);
    } catch (RuntimeException e) {
      try {
        context.close();
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }
}
