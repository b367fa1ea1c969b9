package io.penstock.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own with the tests' class path and the flags that Penstock asks for. */
final class ChildJvm {
  private ChildJvm() {}

  /** Starts {@code main}; its error stream goes where ours goes, unless that is to be read: see {@link #builder}. */
  static Process start(Class<?> main, List<String> flags, String... args) throws IOException {
    return builder(main, flags, args).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** For {@code main}, not started. */
  static ProcessBuilder builder(Class<?> main, List<String> flags, String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName()));
    command.addAll(List.of(args));
    return new ProcessBuilder(command);
  }
}
