package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the header at the beginning of a partition, as its bytes come, before anybody can decode them. It finds the line
 * that {@link RowDecoder} will.
 */
public final class HeaderScanner {
  private final char delimiter;
  private final int maxLineBytes;
  private final RowScanner rows;
  private boolean begun;
  private int position; // of the first line that is not known to be blank

  /**
   * A scanner at the beginning of a partition.
   *
   * @param maxLineBytes the header, and what blank lines come before it, may have no more
   */
  public HeaderScanner(FormatConfig.Csv csv, int maxLineBytes) {
    delimiter = csv.delimiter().charAt(0);
    this.maxLineBytes = maxLineBytes;
    rows = new RowScanner((byte) delimiter);
  }

  /**
   * Looks on.
   *
   * @param utf8 the partition from its first byte, as far as it has come: at least what it held at the last call
   * @return the names of the columns, or null where the end of the header has not come
   * @throws SourceException where there is no header within {@code maxLineBytes}
   */
  public @Nullable List<String> scan(byte[] utf8, int length) {
    if (!begun && length < CsvHeader.BOM_BYTES) {
      return null;
    }
    if (!begun) {
      begun = true;
      position = CsvHeader.startsWithBom(utf8, 0, length) ? CsvHeader.BOM_BYTES : 0;
    }
    while (true) {
      int end = rows.find(utf8, position, length, true);
      if ((end < 0 ? length : end) - CsvHeader.BOM_BYTES > maxLineBytes) {
        throw new SourceException(
            "no header: there is no line with the names of the columns within maxLineBytes, %d"
                .formatted(maxLineBytes));
      }
      if (end < 0) {
        return null;
      }
      int to = end > position && utf8[end - 1] == '\r' ? end - 1 : end;
      if (to > position) {
        return CsvHeader.parse(utf8, position, to, delimiter);
      }
      position = end + 1;
      rows.reset();
    }
  }
}
