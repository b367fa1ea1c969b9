package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import java.util.List;

/** Rows of fixed-point values. Not thread-safe: it holds the random state of one row. */
abstract sealed class SyntheticStream permits SeaStream, AgrawalStream {

  static SyntheticStream of(Generator generator) {
    return switch (generator.stream()) {
      case SEA -> new SeaStream(generator);
      case AGRAWAL -> new AgrawalStream(generator);
    };
  }

  /** Names of the fields, the label last. */
  static List<String> fields(GeneratorStream stream) {
    return switch (stream) {
      case SEA -> SeaStream.FIELDS;
      case AGRAWAL -> AgrawalStream.FIELDS;
    };
  }

  /** Digits behind the decimal point of each field. */
  abstract int[] decimals();

  /** Row {@code row}: field f is {@code values[f] / 10^decimals[f]}, the label is the index of its class. */
  abstract void row(long row, int[] values);
}
