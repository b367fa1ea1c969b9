package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import org.jspecify.annotations.Nullable;

/** Generator settings for tests. */
final class Settings {
  private Settings() {}

  static Generator sea(long records, int concept, double noise, @Nullable DriftConfig drift) {
    return new Generator(GeneratorStream.SEA, records, 3, concept, noise, drift);
  }

  static Generator agrawal(long records, int concept, double noise, @Nullable DriftConfig drift) {
    return new Generator(GeneratorStream.AGRAWAL, records, 3, concept, noise, drift);
  }
}
