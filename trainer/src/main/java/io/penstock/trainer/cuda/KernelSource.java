package io.penstock.trainer.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
      List.of(
          "penstock.cuh",
          "activations.cuh",
          "losses.cuh",
          "evaluate.cuh",
          "spikes.cuh",
          "optimizers.cuh");

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
    definitions.add("-DFUSED_MODEL_INTS=" + FusedShape.MODEL_INTS);
    return definitions;
  }

  /** The headers' texts by their names. */
  static Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    HEADERS.forEach(name -> headers.put(name, text(name)));
    return headers;
  }

  /**
   * Machine code, from the cache or from NVRTC. The cache goes by source, headers, options, architecture and NVRTC version.
   *
   * @param architecture {@code 90}
   */
  byte[] compile(String architecture) {
    Map<String, String> headers = headers();
    String source = text(file());
    List<String> options = options(architecture);
    String key =
        KernelCache.key(
            headers.toString(), source, options.toString(), Integer.toString(Nvrtc.version()));
    String name = file() + "-" + architecture + "-" + key + ".cubin";
    KernelCache cache = KernelCache.ofProperty();
    byte[] kept = cache.find(name);
    if (kept != null) {
      return kept;
    }
    byte[] code = Nvrtc.compile(source, file(), headers, options);
    cache.keep(name, code);
    return code;
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
}
