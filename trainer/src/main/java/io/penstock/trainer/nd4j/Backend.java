package io.penstock.trainer.nd4j;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/** Which of ND4J's backends are on the class path: found by their service entries, nothing of them is loaded. */
enum Backend {
  NATIVE("nd4j-native", "nd4j-native", "org.nd4j.linalg.cpu.nativecpu.CpuBackend"),
  CUDA("nd4j-cuda", "nd4j-cuda-11.6", "org.nd4j.linalg.jcublas.JCublasBackend");

  private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

  private final String text;
  private final String artifact;
  private final String service;

  Backend(String text, String artifact, String service) {
    this.text = text;
    this.artifact = artifact;
    this.service = service;
  }

  /**
   * The one that is there.
   *
   * @throws IllegalStateException where there is none, or more than one
   */
  static Backend present() {
    List<Backend> found = all();
    if (found.isEmpty()) {
      throw new IllegalStateException(
          "no ND4J backend is on the class path; start with ./penstock --with nd4j (any processor) or --with nd4j-cuda (NVIDIA GPUs of compute capability 3.7 to 8.9)");
    }
    if (found.size() > 1) {
      throw new IllegalStateException(
          "the backends %s are both on the class path; there must be one".formatted(found));
    }
    return found.getFirst();
  }

  /** Those that are there. */
  static List<Backend> all() {
    List<String> services = services();
    return Arrays.stream(values()).filter(backend -> services.contains(backend.service)).toList();
  }

  /** As its jar says, or nothing. */
  String version() {
    String properties = "META-INF/maven/org.nd4j/%s/pom.properties".formatted(artifact);
    try (InputStream in = Backend.class.getClassLoader().getResourceAsStream(properties)) {
      Properties found = new Properties();
      if (in != null) {
        found.load(in);
      }
      return found.getProperty("version", "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> services() {
    List<String> lines = new ArrayList<>();
    try {
      for (URL url : Collections.list(Backend.class.getClassLoader().getResources(SERVICE))) {
        try (BufferedReader reader =
            new BufferedReader(new InputStreamReader(url.openStream(), StandardCharsets.UTF_8))) {
          reader.lines().map(String::strip).forEach(lines::add);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }

  @Override
  public String toString() {
    return text;
  }
}
