package io.penstock.app;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** The flags that training needs of the JVM; the launcher passes them. */
final class JvmFlags {
  static final String VECTOR = "--add-modules=jdk.incubator.vector";
  static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
  static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

  private JvmFlags() {}

  /** Flags without which nothing can be trained, and that are missing. */
  static List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      missing.add(VECTOR);
    }
    if (!JvmFlags.class.getModule().isNativeAccessEnabled()) {
      missing.add(NATIVE);
    }
    return missing;
  }

  /** Whether Netty can use its fast path. */
  static boolean fastNetty() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().contains(UNSAFE);
  }

  /**
   * @throws StartException naming the flags that are missing
   */
  static void require() {
    List<String> missing = missing();
    if (!missing.isEmpty()) {
      throw new StartException(
          "this JVM was started without %s; start it by ./penstock, or pass that to java"
              .formatted(String.join(" ", missing)));
    }
  }
}
