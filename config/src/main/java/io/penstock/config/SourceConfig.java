package io.penstock.config;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where rows come from. */
public sealed interface SourceConfig {

  /**
   * Rows as lines over TCP; each connection is a partition.
   *
   * @param port 0: any free one
   * @param bind address to listen on
   * @param insecure must be true to listen on anything but loopback
   * @param maxLineBytes longer rows are rejected
   * @param maxConnections further ones are closed at once
   * @param idleTimeout a connection without a byte for so long is closed; zero: never
   * @param endAfterConnections the run ends when so many connections have come and gone; 0: never
   * @param feed a sender built in, for demonstrations: it connects to the listener, and the run ends when it has sent all
   */
  record Tcp(
      int port,
      String bind,
      boolean insecure,
      FormatConfig format,
      int maxLineBytes,
      int maxConnections,
      Duration idleTimeout,
      int endAfterConnections,
      @Nullable FeedConfig feed)
      implements SourceConfig {}

  /** A file, read once from its beginning. */
  record File(String path, FormatConfig format, int maxLineBytes) implements SourceConfig {}

  /**
   * A synthetic stream of the literature.
   *
   * @param records rows; 0: without end
   * @param seed of its random numbers
   * @param concept index of the classification function
   * @param noise share of labels (SEA) or values (Agrawal) that are disturbed
   */
  record Generator(
      GeneratorStream stream,
      long records,
      long seed,
      int concept,
      double noise,
      @Nullable DriftConfig drift)
      implements SourceConfig {}

  enum GeneratorStream {
    SEA,
    AGRAWAL
  }

  /**
   * A change of the concept.
   *
   * @param at the row where it happens; for a gradual one, its middle
   * @param kind abrupt or gradual
   * @param width rows over which a gradual one takes place
   * @param to index of the classification function afterwards
   */
  record DriftConfig(long at, DriftKind kind, long width, int to) {}

  enum DriftKind {
    ABRUPT,
    GRADUAL
  }

  /**
   * What a built-in sender sends.
   *
   * @param rate rows a second; 0: as fast as they are taken
   */
  record FeedConfig(Generator generator, double rate) {}

  /** How bytes are read. */
  record FormatConfig(CsvConfig csv) {}

  /**
   * Comma-separated values (RFC 4180).
   *
   * @param header whether the first row of a partition names the columns; without one they come in the order of the schema,
   *     the label last unless {@code columns} says otherwise
   * @param delimiter one ASCII character
   * @param columns names of the columns where there is no header; empty: fields of the schema, then the label
   */
  record CsvConfig(boolean header, String delimiter, List<String> columns) {}
}
