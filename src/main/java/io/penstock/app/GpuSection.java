package io.penstock.app;

import java.time.Duration;
import java.util.Locale;

/** A part of {@code penstock bench gpu}, in the order in which they run; each in a process of its own. */
enum GpuSection {
  CONTRACT("device and kernel contract, on the GPU", Duration.ofSeconds(90)),
  GOLDEN("golden runs against double precision", Duration.ofSeconds(30)),
  GRID("the step grid, by turns with PyTorch", Duration.ofSeconds(225)),
  STREAMING("copies beside computing, from events", Duration.ofSeconds(45)),
  PRODUCTS("cuBLASLt's products alone beside the step", Duration.ofSeconds(40)),
  CPU("the step grid on the cpu device", Duration.ofSeconds(40)),
  SOAK("minutes of training with memory watched", Duration.ofSeconds(60));

  private final String what;
  private final Duration limit;

  GpuSection(String what, Duration limit) {
    this.what = what;
    this.limit = limit;
  }

  /** For people. */
  String what() {
    return what;
  }

  /** After which it is cut off; what it has measured by then counts. For SOAK: beside what is asked for. */
  Duration limit() {
    return limit;
  }

  /** Whether it runs tests, which only the archive has. */
  boolean isTests() {
    return this == CONTRACT || this == GOLDEN;
  }

  /** As options and files have it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
