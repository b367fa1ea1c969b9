package io.penstock.app;

/** Exit codes; after a signal the JVM adds its own, 130 and 143. */
final class ExitCode {
  static final int OK = 0;

  /** It began and failed. */
  static final int FAILED = 1;

  /** What was asked for is wrong or cannot be done here. */
  static final int USAGE = 2;

  /** A benchmark of GPUs went well, but on the tests' emulator. */
  static final int EMULATED = 3;

  private ExitCode() {}
}
