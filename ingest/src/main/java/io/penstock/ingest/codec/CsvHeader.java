package io.penstock.ingest.codec;

import java.util.List;

/** The first row of a partition: the names of its columns. */
@SuppressWarnings("DoNotCallSuggester")
public final class CsvHeader {
  private CsvHeader() {}

  /**
   * The names in one row.
   *
   * @param utf8 holds the row, with or without its line end
   */
  public static List<String> parse(byte[] utf8, int from, int to, char delimiter) {
    throw new UnsupportedOperationException();
  }
}
