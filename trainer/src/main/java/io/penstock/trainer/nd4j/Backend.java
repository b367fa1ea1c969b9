package io.penstock.trainer.nd4j;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Which of ND4J's backends are on the class path: found by their service entries, nothing of them is loaded. */
enum Backend {
  NATIVE("nd4j-native", "org.nd4j.linalg.cpu.nativecpu.CpuBackend"),
  CUDA("nd4j-cuda", "org.nd4j.linalg.jcublas.JCublasBackend");

  private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

  private final String text;
  private final String service;

  Backend(String text, String service) {
    this.text = text;
    this.service = service;
  }

  /**
   * The one that is there.
   *
   * @throws IllegalStateException where there is none, or more than one
   */
  static Backend present() {
    List<String> services = services();
    List<Backend> found = new ArrayList<>();
    for (Backend backend : values()) {
      if (services.contains(backend.service)) {
        found.add(backend);
      }
    }
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
