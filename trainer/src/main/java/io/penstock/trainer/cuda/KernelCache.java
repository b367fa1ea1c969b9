package io.penstock.trainer.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Compiled kernels in a folder, a file each: SHA-256 of the machine code, then the code. A file that does not hold what its checksum
 * says, being cut off or damaged, counts as missing. A folder that cannot be written to costs the time of compiling again, nothing
 * else.
 */
final class KernelCache {
  private static final String PROPERTY = "penstock.cuda.cache";
  private static final int CHECKSUM_BYTES = 32;

  private final Path folder;

  private KernelCache(Path folder) {
    this.folder = folder;
  }

  /** The folder that the system property names, or one in the user's home. */
  static KernelCache ofProperty() {
    String set = System.getProperty(PROPERTY);
    return new KernelCache(
        set != null
            ? Path.of(set)
            : Path.of(System.getProperty("user.home"), ".cache", "penstock", "cuda"));
  }

  /** What names a file: a hash over all that the code depends on. */
  static String key(String... parts) {
    MessageDigest digest = sha256();
    for (String part : parts) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  /** The code under a name; null where there is none, or none that is whole. */
  byte @Nullable [] find(String name) {
    Path file = folder.resolve(name);
    byte[] all;
    try {
      if (!Files.isRegularFile(file)) {
        return null;
      }
      all = Files.readAllBytes(file);
    } catch (IOException e) {
      log("{0} cannot be read, so that its kernels are compiled again: {1}", file, e);
      return null;
    }
    if (all.length > CHECKSUM_BYTES) {
      byte[] code = Arrays.copyOfRange(all, CHECKSUM_BYTES, all.length);
      if (Arrays.equals(all, 0, CHECKSUM_BYTES, sha256().digest(code), 0, CHECKSUM_BYTES)) {
        return code;
      }
    }
    log("{0} is damaged, so that its kernels are compiled again ({1} bytes)", file, all.length);
    return null;
  }

  /** Keeps code under a name, in one move: others never see half of it. */
  void keep(String name, byte[] code) {
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "compile", ".part");
      byte[] all = Arrays.copyOf(sha256().digest(code), CHECKSUM_BYTES + code.length);
      System.arraycopy(code, 0, all, CHECKSUM_BYTES, code.length);
      Files.write(part, all);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      log("compiled kernels cannot be kept in {0}: {1}", file, e);
    }
  }

  private static void log(String message, Object... arguments) {
    System.getLogger(KernelCache.class.getName())
        .log(System.Logger.Level.WARNING, message, arguments);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }
}
