package io.penstock.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Version and commit that this was built from. */
final class Version {
  /** Such as {@code 0.1.0 (3f2c1ab)}. */
  static final String TEXT = read();

  private Version() {}

  private static String read() {
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      if (in == null) {
        throw new IllegalStateException("version.properties is missing from the build");
      }
      Properties properties = new Properties();
      properties.load(in);
      String commit = properties.getProperty("commit");
      String version = properties.getProperty("version");
      return commit.isEmpty() ? version : version + " (" + commit + ")";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
