package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.Friedman;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.SourceConfig.Hyperplane;
import io.penstock.config.SourceConfig.Led;
import io.penstock.config.SourceConfig.Rbf;
import java.util.List;
import java.util.stream.Stream;

/** Generator settings for tests. */
final class Settings {
  private Settings() {}

  static Generator sea(long records, int concept, double noise, DriftConfig... drift) {
    return new Generator(GeneratorStream.SEA, records, 3, concept, noise, List.of(drift));
  }

  static Generator agrawal(long records, int concept, double noise, DriftConfig... drift) {
    return new Generator(GeneratorStream.AGRAWAL, records, 3, concept, noise, List.of(drift));
  }

  static Generator hyperplane(Hyperplane plane, double noise) {
    return new Generator(plane, 0, 3, 0, noise, List.of());
  }

  static Generator rbf(Rbf rbf, long seed) {
    return new Generator(rbf, 0, seed, 0, 0, List.of());
  }

  static Generator led(int concept, double noise, DriftConfig... drift) {
    return new Generator(new Led(), 0, 3, concept, noise, List.of(drift));
  }

  static Generator friedman(int concept, double noise, DriftConfig... drift) {
    return new Generator(new Friedman(), 0, 3, concept, noise, List.of(drift));
  }

  /** One of each stream, with noise and drift. */
  static Stream<Generator> each() {
    List<DriftConfig> drift =
        List.of(
            new DriftConfig(300, DriftKind.ABRUPT, 0, 3),
            new DriftConfig(700, DriftKind.GRADUAL, 100, 1));
    return Stream.of(
        new Generator(GeneratorStream.SEA, 1000, 9, 1, 0.05, drift),
        new Generator(GeneratorStream.AGRAWAL, 1000, 9, 1, 0.05, drift),
        new Generator(new Hyperplane(7, 4, 0.01, 0.1), 1000, 9, 0, 0.05, List.of()),
        new Generator(new Rbf(5, 3, 20, 12, 0.003), 1000, 9, 0, 0, List.of()),
        new Generator(new Led(), 1000, 9, 1, 0.05, drift),
        new Generator(new Friedman(), 1000, 9, 1, 1, drift));
  }
}
