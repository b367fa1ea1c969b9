package io.penstock.ingest.codec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rows as texts, one after the other, cut where {@link CsvDecoder} cuts them: to look at a sample, not for the hot path. */
public final class CsvTexts {
  private final InputStream in;
  private final char delimiter;
  private final int maxLineBytes;
  private final RowScanner scanner;
  private byte[] window = new byte[64 << 10];
  private int position;
  private int limit;
  private boolean begun;
  private boolean ended;

  /**
   * Rows of a text.
   *
   * @param in stays the caller's to close
   */
  public CsvTexts(InputStream in, char delimiter, int maxLineBytes) {
    this.in = in;
    this.delimiter = delimiter;
    this.maxLineBytes = maxLineBytes;
    scanner = new RowScanner((byte) delimiter);
  }

  /**
   * The values of the next row that is not blank, without their quotes; null behind the last.
   *
   * @throws SourceException where a row does not end within {@code maxLineBytes}
   */
  public @Nullable List<String> next() throws IOException {
    while (true) {
      String row = row();
      if (row == null || !row.isEmpty()) {
        return row == null ? null : CsvHeader.split(row, delimiter);
      }
    }
  }

  private @Nullable String row() throws IOException {
    scanner.reset();
    int end = scanner.find(window, position, limit, true);
    while (end < 0 && !ended) {
      fill();
      end = scanner.find(window, position, limit, true);
    }
    if (end < 0 && position == limit) {
      return null;
    }
    int next = end < 0 ? limit : end;
    int to = next > position && window[next - 1] == '\r' ? next - 1 : next;
    String row = new String(window, position, to - position, StandardCharsets.UTF_8);
    position = end < 0 ? limit : end + 1;
    return row;
  }

  private void fill() throws IOException {
    if (limit - position > maxLineBytes) {
      throw new SourceException(
          "no row ends within %d bytes from '%s' on: is a quote missing, or is it no CSV?"
              .formatted(
                  maxLineBytes, new String(window, position, 40, StandardCharsets.UTF_8).strip()));
    }
    if (position > 0) {
      System.arraycopy(window, position, window, 0, limit - position);
      limit -= position;
      position = 0;
    }
    if (limit == window.length) {
      window = Arrays.copyOf(window, 2 * window.length);
    }
    int read = in.readNBytes(window, limit, window.length - limit);
    ended = read == 0;
    limit += read;
    if (!begun) {
      begun = true;
      position = CsvHeader.startsWithBom(window, 0, limit) ? CsvHeader.BOM_BYTES : 0;
      scanner.reset();
    }
  }
}
