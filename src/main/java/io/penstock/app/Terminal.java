package io.penstock.app;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;

/**
 * Where a command speaks, and the time it goes by.
 *
 * @param out results
 * @param err progress and errors
 * @param columns width of the terminal behind {@code err}; 0: it is none
 * @param nanoTime a clock that only runs forward
 */
record Terminal(PrintStream out, PrintStream err, int columns, LongSupplier nanoTime) {

  /** This process's own; the launcher, which sees the terminal, tells its width. */
  static Terminal ofProcess() {
    return new Terminal(
        utf8(FileDescriptor.out),
        utf8(FileDescriptor.err),
        Integer.getInteger("penstock.columns", 0),
        System::nanoTime);
  }

  /** UTF-8 whatever the locale: the summary's bars are not ASCII. */
  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }
}
