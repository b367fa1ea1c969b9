package io.penstock.trainer.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kernels, a file a concern, and their machine code: compiled for a GPU once and kept on disk. */
enum KernelSource {
  ROWS,
  ACTIVATIONS,
  LOSSES,
  EVALUATE,
  OPTIMIZERS,
  FUSED;

  /** What sources include. */
  static final List<String> HEADERS =
      List.of("penstock.cuh", "activations.cuh", "losses.cuh", "evaluate.cuh", "optimizers.cuh");

  private static final String CACHE_PROPERTY = "penstock.cuda.cache";

  String file() {
    return name().toLowerCase(java.util.Locale.ROOT) + ".cu";
  }

  static List<String> options(String architecture) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=sm_" + architecture);
    options.add("--std=c++17");
    options.addAll(definitions());
    return options;
  }

  /** What Java tells the sources, as options of the compiler. */
  static List<String> definitions() {
    List<String> definitions = new ArrayList<>(StepRecord.definitions());
    definitions.add("-DFUSED_TILE_ROWS=" + FusedShape.TILE_ROWS);
    definitions.add("-DFUSED_MOST_LAYERS=" + FusedShape.MOST_LAYERS);
    return definitions;
  }

  /** The headers' texts by their names. */
  static Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    HEADERS.forEach(name -> headers.put(name, text(name)));
    return headers;
  }

  /**
   * Machine code, from the cache or from NVRTC. The cache goes by source, options, architecture and NVRTC version; a folder that
   * cannot be written to costs the time of compiling again, nothing else.
   *
   * @param architecture {@code 90}
   */
  byte[] compile(String architecture) {
    Map<String, String> headers = headers();
    String source = text(file());
    List<String> options = options(architecture);
    String key =
        key(headers.toString(), source, options.toString(), Integer.toString(Nvrtc.version()));
    Path cached = folder().resolve(file() + "-" + architecture + "-" + key + ".cubin");
    try {
      if (Files.isRegularFile(cached)) {
        return Files.readAllBytes(cached);
      }
    } catch (IOException e) {
      // Compiled again below.
    }
    byte[] code = Nvrtc.compile(source, file(), headers, options);
    keep(cached, code);
    return code;
  }

  private static void keep(Path file, byte[] code) {
    try {
      Files.createDirectories(file.getParent());
      Path part = Files.createTempFile(file.getParent(), "compile", ".part");
      Files.write(part, code);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      System.getLogger(KernelSource.class.getName())
          .log(System.Logger.Level.WARNING, "compiled kernels cannot be kept in {0}: {1}", file, e);
    }
  }

  private static Path folder() {
    String set = System.getProperty(CACHE_PROPERTY);
    return set != null
        ? Path.of(set)
        : Path.of(System.getProperty("user.home"), ".cache", "penstock", "cuda");
  }

  static String text(String file) {
    try (InputStream in = KernelSource.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("the class path has no kernel source " + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String key(String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        digest.update(part.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }
}
