package io.penstock.ingest.generator;

import io.penstock.config.SourceConfig.Agrawal;
import io.penstock.config.SourceConfig.Friedman;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.Hyperplane;
import io.penstock.config.SourceConfig.Led;
import io.penstock.config.SourceConfig.Rbf;
import io.penstock.config.SourceConfig.Sea;

/** Rows of fixed-point values, the label last. Not thread-safe: it holds the random state of one row. */
abstract sealed class SyntheticStream
    permits SeaStream, AgrawalStream, HyperplaneStream, RbfStream, LedStream, FriedmanStream {

  static SyntheticStream of(Generator generator) {
    return switch (generator.stream()) {
      case Sea _ -> new SeaStream(generator);
      case Agrawal _ -> new AgrawalStream(generator);
      case Hyperplane plane -> new HyperplaneStream(generator, plane);
      case Rbf rbf -> new RbfStream(generator, rbf);
      case Led _ -> new LedStream(generator);
      case Friedman _ -> new FriedmanStream(generator);
    };
  }

  /** Digits behind the decimal point of each field. */
  abstract int[] decimals();

  /** Row {@code row}: field f is {@code values[f] / 10^decimals[f]}, the label is a number or the index of its class. */
  abstract void row(long row, int[] values);
}
