package io.penstock.trainer.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;

/**
 * The libraries of the platform's {@code org.bytedeco:openblas} jar as files, since the linker loads nothing else. They are kept
 * in a folder that is the user's alone, and compared with the jar's own checksums at each start, so that a file that was cut
 * short or is of another version is written anew.
 */
final class OpenBlasFiles {
  /** Each after those it needs. */
  private static final List<String> LINUX =
      List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");

  private static final String CACHE_PROPERTY = "penstock.native.cache";

  private OpenBlasFiles() {}

  /** Paths of all libraries, each after those it needs. */
  static List<Path> extract() {
    String platform = platform();
    List<Path> files = new ArrayList<>();
    try {
      Path folder = folder();
      for (String name : LINUX) {
        files.add(extract("org/bytedeco/openblas/" + platform + "/" + name, folder, platform));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "libraries could not be written: %s; set -D%s to a folder that can be written and executed from"
              .formatted(e, CACHE_PROPERTY),
          e);
    }
    return files;
  }

  private static String platform() {
    String os = System.getProperty("os.name");
    String architecture = System.getProperty("os.arch");
    if (os.toLowerCase(Locale.ROOT).startsWith("linux") && architecture.equals("amd64")) {
      return "linux-x86_64";
    }
    throw new IllegalStateException(
        "only Linux on x86-64 is supported so far, and this is %s on %s"
            .formatted(os, architecture));
  }

  private static Path folder() throws IOException {
    String set = System.getProperty(CACHE_PROPERTY);
    Path folder =
        set != null
            ? Path.of(set)
            : Path.of(System.getProperty("user.home"), ".cache", "penstock", "openblas");
    FileAttribute<?>[] mine =
        FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
            }
            : new FileAttribute<?>[0];
    return Files.createDirectories(folder, mine);
  }

  private static Path extract(String resource, Path folder, String platform) throws IOException {
    URL url = OpenBlasFiles.class.getClassLoader().getResource(resource);
    if (url == null) {
      throw new IllegalStateException(
          "the class path has no %s; add the jar org.bytedeco:openblas with classifier %s"
              .formatted(resource, platform));
    }
    URLConnection connection = url.openConnection();
    if (!(connection instanceof JarURLConnection jar)) {
      throw new IllegalStateException(
          resource + " must come from a jar, whose checksum it is held against, but is " + url);
    }
    JarEntry entry = jar.getJarEntry();
    // The checksum in the folder's name lets versions live side by side.
    Path version =
        Files.createDirectories(folder.resolve(platform + "-" + Long.toHexString(entry.getCrc())));
    Path file = version.resolve(resource.substring(resource.lastIndexOf('/') + 1));
    if (!Files.exists(file) || Files.size(file) != entry.getSize() || crc(file) != entry.getCrc()) {
      write(jar, file, entry);
    }
    return file;
  }

  private static void write(JarURLConnection jar, Path file, JarEntry entry) throws IOException {
    Path part = Files.createTempFile(file.getParent(), "extract", ".part");
    try (InputStream in = jar.getInputStream()) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
    }
    if (crc(part) != entry.getCrc()) {
      throw new IOException(part + " does not have the checksum of " + entry.getName());
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static long crc(Path file) throws IOException {
    CRC32 crc = new CRC32();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        crc.update(buffer, 0, n);
      }
    }
    return crc.getValue();
  }
}
