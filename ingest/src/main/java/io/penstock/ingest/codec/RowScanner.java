package io.penstock.ingest.codec;

/**
 * Finds where a row ends, newlines inside quoted fields aside. It remembers how far it came, so that a row that arrives byte
 * by byte is looked at once. Positions are relative to the row's first byte.
 */
final class RowScanner {
  private enum Place {
    FIELD_START,
    UNQUOTED,
    QUOTED,
    /** Behind a quote in a quoted field: its end, or the first of two. */
    QUOTE
  }

  private final byte delimiter;
  private Place place = Place.FIELD_START;
  private int scanned;

  RowScanner(byte delimiter) {
    this.delimiter = delimiter;
  }

  /** Forgets the row. */
  void reset() {
    place = Place.FIELD_START;
    scanned = 0;
  }

  /** Whether part of a row has been looked at. */
  boolean isInRow() {
    return scanned > 0;
  }

  /** Whether the part of the row seen so far ends inside a quoted field. */
  boolean isQuoted() {
    return place == Place.QUOTED;
  }

  /**
   * Looks on in the row at {@code start}.
   *
   * @param multiline whether a quoted field may hold newlines
   * @return index of the newline that ends the row, or -1 where it is not before {@code limit}
   */
  int find(byte[] window, int start, int limit, boolean multiline) {
    Place at = place;
    for (int p = start + scanned; p < limit; p++) {
      byte c = window[p];
      if (c == '\n' && (at != Place.QUOTED || !multiline)) {
        place = at;
        scanned = p - start;
        return p;
      }
      at = next(at, c);
    }
    place = at;
    scanned = Math.max(scanned, limit - start);
    return -1;
  }

  private Place next(Place at, byte c) {
    if (at == Place.QUOTED) {
      return c == '"' ? Place.QUOTE : Place.QUOTED;
    }
    if (c == delimiter) {
      return Place.FIELD_START;
    }
    if (c == '"') {
      return at == Place.UNQUOTED ? Place.UNQUOTED : Place.QUOTED;
    }
    return Place.UNQUOTED;
  }
}
