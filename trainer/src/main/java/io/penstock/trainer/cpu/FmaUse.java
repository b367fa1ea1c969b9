package io.penstock.trainer.cpu;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/**
 * Whether the JVM has FMA instructions to use. Without them the Vector API's FMA still rounds once, by {@code BigDecimal}: the
 * right figures, far too late to be of use.
 */
final class FmaUse {
  private static final boolean MISSING = isMissing();

  private FmaUse() {}

  /** Fails, saying why, where there are none. */
  static void require() {
    if (MISSING) {
      throw new IllegalStateException(
          "cpu: the processor must have FMA (x86: AVX2, from 2013 on) and the JVM must use it, but its"
              + " UseFMA is false; leave out -XX:-UseFMA and -XX:UseAVX=0, or use another machine");
    }
  }

  private static boolean isMissing() {
    @Nullable HotSpotDiagnosticMXBean hotSpot =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    try {
      return hotSpot != null && hotSpot.getVMOption("UseFMA").getValue().equals("false");
    } catch (IllegalArgumentException e) {
      // A JVM without the option has nothing to say about it.
      return false;
    }
  }
}
