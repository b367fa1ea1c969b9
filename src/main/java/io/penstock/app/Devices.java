package io.penstock.app;

import io.penstock.app.Engine.DeviceReport;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.nd4j.Nd4jDevice;
import java.io.PrintStream;
import java.util.List;

/** The devices of this build. */
final class Devices {
  private Devices() {}

  /**
   * The device of that name; {@code auto} takes a GPU where there is one that can be used, else the processor's own.
   *
   * @param err is told where auto does not take what this build has been given
   * @throws StartException where it cannot be used, with every reason found
   */
  static Device open(String name, PrintStream err) {
    return switch (name) {
      case "cpu" -> new CpuDevice();
      case "nd4j" -> nd4j();
      case "auto" -> auto(err);
      default ->
          throw new StartException(
              "device: '" + name + "' is not built yet; take auto, cpu or nd4j");
    };
  }

  private static Device nd4j() {
    try {
      return Nd4jDevice.open();
    } catch (IllegalStateException e) {
      throw new StartException("device: nd4j cannot be used: " + e.getMessage(), e);
    }
  }

  /** ND4J on a processor is never the best: the cpu device takes a fraction of its time. */
  private static Device auto(PrintStream err) {
    if (Nd4jDevice.hasGpuBackend()) {
      try {
        return Nd4jDevice.open();
      } catch (IllegalStateException e) {
        err.println("penstock: device: auto takes cpu, as nd4j cannot be used: " + e.getMessage());
      }
    }
    return new CpuDevice();
  }

  /** All of them, usable or not, in the order that auto goes by. */
  static List<DeviceReport> reports() {
    DeviceReport cpu = new DeviceReport("cpu", true, new CpuDevice().description());
    return Nd4jDevice.hasGpuBackend() ? List.of(nd4jReport(), cpu) : List.of(cpu, nd4jReport());
  }

  private static DeviceReport nd4jReport() {
    try {
      return new DeviceReport("nd4j", true, Nd4jDevice.find());
    } catch (IllegalStateException e) {
      return new DeviceReport("nd4j", false, String.valueOf(e.getMessage()));
    }
  }
}
