package io.penstock.trainer.cpu;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

class CpuKernelContractTest extends KernelContract {
  private static final Pattern OTHER =
      Pattern.compile("Other \\(reserved=\\d+, committed=(\\d+)\\)");

  @Override
  protected Device device() {
    return new CpuDevice();
  }

  /** What arenas and direct buffers hold, as the JVM counts it where it runs with {@code -XX:NativeMemoryTracking=summary}. */
  @Override
  protected long allocatedBytes() {
    String report;
    try {
      report =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "vmNativeMemory",
                      new Object[] {new String[] {"summary", "scale=1"}},
                      new String[] {String[].class.getName()});
    } catch (JMException e) {
      throw new IllegalStateException("the JVM does not report its native memory", e);
    }
    Matcher other = OTHER.matcher(report);
    if (!other.find()) {
      throw new IllegalStateException(
          "run this test with -XX:NativeMemoryTracking=summary; the JVM says: " + report);
    }
    return Long.parseLong(other.group(1));
  }
}
