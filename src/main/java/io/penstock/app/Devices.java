package io.penstock.app;

import io.penstock.app.Engine.DeviceReport;
import io.penstock.config.Precision;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.cuda.CudaDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.nd4j.Nd4jDevice;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** The devices of this build. */
final class Devices {
  private Devices() {}

  /**
   * The device of that name; {@code auto} takes a GPU where there is one that can be used, else the processor's own.
   *
   * @param precision what {@code cuda} computes matrix products in
   * @param err is told what auto has found
   * @throws StartException where it cannot be used, with every reason found
   */
  static Device open(String name, Precision precision, PrintStream err) {
    return switch (name) {
      case "cpu" -> new CpuDevice();
      case "nd4j" -> nd4j();
      case "auto" -> auto(err);
      default -> cuda(name, precision);
    };
  }

  private static Device nd4j() {
    try {
      return Nd4jDevice.open();
    } catch (IllegalStateException e) {
      throw new StartException("device: nd4j cannot be used: " + e.getMessage(), e);
    }
  }

  private static Device cuda(String name, Precision precision) {
    if (!name.matches("cuda(:\\d{1,3})?")) {
      throw new StartException("device: '" + name + "' is not known; see penstock devices");
    }
    int ordinal = name.equals("cuda") ? 0 : Integer.parseInt(name, 5, name.length(), 10);
    try {
      return CudaDevice.of(ordinal, precision);
    } catch (IllegalStateException e) {
      throw new StartException("device: " + e.getMessage(), e);
    }
  }

  /** ND4J on a processor is never the best: the cpu device takes a fraction of its time. */
  private static Device auto(PrintStream err) {
    try {
      return CudaDevice.of(0, Precision.FLOAT32);
    } catch (IllegalStateException cuda) {
      return withoutCuda(cuda, err);
    }
  }

  private static Device withoutCuda(IllegalStateException cuda, PrintStream err) {
    List<String> obstacles = new ArrayList<>(List.of(first(cuda)));
    if (Nd4jDevice.hasGpuBackend()) {
      try {
        return Nd4jDevice.open();
      } catch (IllegalStateException nd4j) {
        obstacles.add("nd4j: " + first(nd4j));
      }
    }
    Device cpu = new CpuDevice();
    err.println(
        "penstock: device auto takes cpu (%s); %s (penstock devices says more)"
            .formatted(cpu.description(), String.join("; ", obstacles)));
    return cpu;
  }

  /** The first of the reasons: most machines have no GPU, and one line says enough. */
  private static String first(IllegalStateException obstacles) {
    return String.valueOf(obstacles.getMessage()).split("; ", 2)[0];
  }

  /** All of them, usable or not, in the order that auto goes by. */
  static List<DeviceReport> reports() {
    DeviceReport cpu = new DeviceReport("cpu", true, new CpuDevice().description());
    return Nd4jDevice.hasGpuBackend()
        ? List.of(cudaReport(), nd4jReport(), cpu)
        : List.of(cudaReport(), cpu, nd4jReport());
  }

  private static DeviceReport cudaReport() {
    try {
      return new DeviceReport("cuda", true, CudaDevice.of(0, Precision.FLOAT32).description());
    } catch (IllegalStateException e) {
      return new DeviceReport("cuda", false, String.valueOf(e.getMessage()));
    }
  }

  private static DeviceReport nd4jReport() {
    try {
      return new DeviceReport("nd4j", true, Nd4jDevice.find());
    } catch (IllegalStateException e) {
      return new DeviceReport("nd4j", false, String.valueOf(e.getMessage()));
    }
  }
}
