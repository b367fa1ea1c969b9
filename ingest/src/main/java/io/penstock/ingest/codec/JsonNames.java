package io.penstock.ingest.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The paths of all values in a row of JSON, in their order: what takes the place of a header. */
public final class JsonNames {
  private final byte[] text;
  private final List<String> names = new ArrayList<>();

  private JsonNames(byte[] text) {
    this.text = text;
  }

  /**
   * The names in the first line of {@code in} that is not blank.
   *
   * @throws SourceException where that is no JSON object, or there is none within {@code maxLineBytes}
   */
  public static List<String> read(InputStream in, int maxLineBytes) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int c = in.read(); c >= 0 && line.size() <= maxLineBytes; c = in.read()) {
      if (c == '\n' && !line.toString(StandardCharsets.UTF_8).isBlank()) {
        break;
      }
      if (c != '\n') {
        line.write(c);
      }
    }
    byte[] text = Arrays.copyOf(line.toByteArray(), line.size() + 1 + Long.BYTES);
    text[line.size()] = '\n';
    JsonNames reading = new JsonNames(text);
    int from = CsvHeader.startsWithBom(text, 0, line.size()) ? CsvHeader.BOM_BYTES : 0;
    int begin = JsonText.space(text, from);
    int end = JsonText.value(text, begin, 0);
    if (end < 0 || text[begin] != '{' || line.size() > maxLineBytes) {
      throw new SourceException(
          "schema: its patterns go by the fields of the first row, which is no JSON object of at most %d bytes: '%s'"
              .formatted(maxLineBytes, RowWriter.excerpt(text, from, line.size())));
    }
    reading.value(begin, List.of());
    return List.copyOf(reading.names);
  }

  /** Notes what is in the value at {@code from}, which is JSON; answers where it ends. */
  private int value(int from, List<Object> path) {
    if (text[from] != '{' && text[from] != '[') {
      names.add(new JsonPath(path).toString());
      return JsonText.value(text, from, 0);
    }
    boolean object = text[from] == '{';
    int p = JsonText.space(text, from + 1);
    int index = 0;
    while (text[p] != '}' && text[p] != ']') {
      List<Object> inner = new ArrayList<>(path);
      if (object) {
        int end = JsonText.string(text, p + 1);
        inner.add(key(p + 1, end - 1));
        p = JsonText.colon(text, end);
      } else {
        inner.add(index++);
      }
      p = JsonText.space(text, value(p, inner));
      p = text[p] == ',' ? JsonText.space(text, p + 1) : p;
    }
    return p + 1;
  }

  private String key(int from, int to) {
    byte[] key = new byte[to - from];
    int length = Math.max(0, JsonText.unescape(text, from, to, key));
    return new String(key, 0, length, StandardCharsets.UTF_8);
  }
}
