package io.penstock.ingest.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The first row of a partition: the names of its columns. */
public final class CsvHeader {
  static final int BOM_BYTES = 3;

  private CsvHeader() {}

  /**
   * The names in one row, without quotes and the space around them.
   *
   * @param utf8 holds the row, with or without byte order mark and line end
   */
  public static List<String> parse(byte[] utf8, int from, int to, char delimiter) {
    int start = from + (startsWithBom(utf8, from, to) ? BOM_BYTES : 0);
    int end = to;
    while (end > start && isLineEnd(utf8[end - 1])) {
      end--;
    }
    while (start < end && isLineEnd(utf8[start])) {
      start++;
    }
    String text = new String(utf8, start, end - start, StandardCharsets.UTF_8);
    return split(text, delimiter).stream().map(String::strip).toList();
  }

  /** The values of a row, without their quotes. */
  static List<String> split(String row, char delimiter) {
    List<String> values = new ArrayList<>();
    StringBuilder value = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < row.length(); i++) {
      char c = row.charAt(i);
      boolean escaped = quoted && c == '"' && i + 1 < row.length() && row.charAt(i + 1) == '"';
      if (escaped) {
        value.append(c);
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == delimiter && !quoted) {
        values.add(value.toString());
        value.setLength(0);
      } else {
        value.append(c);
      }
    }
    values.add(value.toString());
    return List.copyOf(values);
  }

  /**
   * The names in the first line of {@code in} that is not blank.
   *
   * @throws SourceException where there is none within {@code maxLineBytes}
   */
  public static List<String> read(InputStream in, int maxLineBytes, char delimiter)
      throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    boolean quoted = false;
    for (int c = in.read(); c >= 0 && line.size() <= maxLineBytes; c = in.read()) {
      if (c == '\n' && !quoted && !line.toString(StandardCharsets.UTF_8).isBlank()) {
        break;
      }
      quoted ^= c == '"';
      line.write(c);
    }
    if (line.size() > maxLineBytes || line.toString(StandardCharsets.UTF_8).isBlank()) {
      throw new SourceException(
          "no header: there is no line with the names of the columns within %d bytes"
              .formatted(maxLineBytes));
    }
    return parse(line.toByteArray(), 0, line.size(), delimiter);
  }

  /** The line, without its end, that {@link #parse} takes for these names. */
  static String line(List<String> names, char delimiter) {
    StringBuilder line = new StringBuilder();
    for (String name : names) {
      boolean plain =
          !name.isEmpty() && name.chars().noneMatch(c -> c == delimiter || c == '"' || c < ' ');
      if (!line.isEmpty()) {
        line.append(delimiter);
      }
      line.append(plain ? name : '"' + name.replace("\"", "\"\"") + '"');
    }
    return line.toString();
  }

  private static boolean isLineEnd(byte c) {
    return c == '\n' || c == '\r';
  }

  static boolean startsWithBom(byte[] utf8, int from, int to) {
    return to - from >= BOM_BYTES
        && utf8[from] == (byte) 0xef
        && utf8[from + 1] == (byte) 0xbb
        && utf8[from + 2] == (byte) 0xbf;
  }
}
