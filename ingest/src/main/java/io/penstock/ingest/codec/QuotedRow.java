package io.penstock.ingest.codec;

import io.penstock.pipeline.Rejections.Reason;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The thorough way through a row: quotes, counts, and a reason for whatever is wrong. */
final class QuotedRow {
  private final RowWriter writer;
  private final byte delimiter;
  private final int[] starts;
  private final int[] ends;
  private byte[] unescaped = new byte[256];
  private String detail = "";

  QuotedRow(RowWriter writer, byte delimiter) {
    this.writer = writer;
    this.delimiter = delimiter;
    starts = new int[writer.columns()];
    ends = new int[writer.columns()];
  }

  /** What the last row was rejected for. */
  String detail() {
    return detail;
  }

  /**
   * Decodes one row, without its line end.
   *
   * @return why it is rejected, or null
   */
  @Nullable Reason decode(byte[] text, int from, int to, int row) {
    int columns = writer.columns();
    int column = 0;
    int p = from;
    boolean more = true;
    while (more) {
      int end = fieldEnd(text, p, to);
      if (end < 0) {
        detail =
            "column %d: a quoted value must end with its quote, and any other has none: '%s'"
                .formatted(
                    column + 1, new String(text, p, Math.min(to - p, 60), StandardCharsets.UTF_8));
        return Reason.SYNTAX;
      }
      if (column < columns) {
        starts[column] = p;
        ends[column] = end;
      }
      column++;
      more = end < to;
      p = end + 1;
    }
    if (column != columns) {
      detail = "%d columns, where there must be %d".formatted(column, columns);
      return Reason.COLUMN_COUNT;
    }
    return write(text, row);
  }

  private @Nullable Reason write(byte[] text, int row) {
    for (int column = 0; column < starts.length; column++) {
      int from = starts[column];
      int to = ends[column];
      byte[] value = text;
      boolean quoted = from < to && text[from] == '"';
      if (quoted) {
        to = unescape(text, from + 1, to - 1);
        from = 0;
        value = unescaped;
      }
      Reason reason = writer.write(column, row, value, from, to, quoted);
      if (reason != null) {
        detail = writer.explain(reason, column, value, from, to);
        return reason;
      }
    }
    return null;
  }

  /** Index of the delimiter behind the field at {@code from}, or {@code to}; -1 where its quotes are wrong. */
  private int fieldEnd(byte[] text, int from, int to) {
    int p = from;
    if (p < to && text[p] == '"') {
      p = closingQuote(text, p + 1, to) + 1;
      return p == 0 || (p < to && text[p] != delimiter) ? -1 : p;
    }
    while (p < to && text[p] != delimiter) {
      if (text[p] == '"') {
        return -1;
      }
      p++;
    }
    return p;
  }

  private static int closingQuote(byte[] text, int from, int to) {
    for (int p = from; p < to; p++) {
      if (text[p] == '"') {
        if (p + 1 == to || text[p + 1] != '"') {
          return p;
        }
        p++;
      }
    }
    return -1;
  }

  /** Copies a value with each pair of quotes made one; answers its length. */
  private int unescape(byte[] text, int from, int to) {
    if (unescaped.length < to - from) {
      unescaped = Arrays.copyOf(unescaped, Math.max(to - from, 2 * unescaped.length));
    }
    int length = 0;
    for (int p = from; p < to; p++) {
      unescaped[length++] = text[p];
      if (text[p] == '"') {
        p++;
      }
    }
    return length;
  }
}
