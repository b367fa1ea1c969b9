package io.penstock.trainer.device;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** The JVM's own account of native memory; it keeps one where it runs with {@code -XX:NativeMemoryTracking=summary}. */
public final class NativeMemory {
  private NativeMemory() {}

  /** In bytes. */
  public static String report() {
    try {
      return (String)
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "vmNativeMemory",
                  new Object[] {new String[] {"summary", "scale=1"}},
                  new String[] {String[].class.getName()});
    } catch (JMException e) {
      throw new IllegalStateException("the JVM does not report its native memory", e);
    }
  }

  /** The number that {@code pattern} has in its group. */
  public static long bytes(String report, String pattern) {
    Matcher found = Pattern.compile(pattern).matcher(report);
    if (!found.find()) {
      throw new IllegalStateException(
          "run this test with -XX:NativeMemoryTracking=summary; the JVM says: " + report);
    }
    return Long.parseLong(found.group(1));
  }
}
