package io.penstock.app.sample;

import io.penstock.config.Nearest;
import io.penstock.ingest.codec.CsvTexts;
import io.penstock.ingest.codec.Decimals;
import io.penstock.ingest.codec.JsonPath;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.file.FileSource;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/**
 * The first rows of a file, looked at column by column.
 *
 * @param path of the file
 * @param format how its rows are read
 * @param columns in the order in which they come
 * @param rows looked at
 * @param uneven rows passed over because they have another number of columns than the others
 * @param whole whether there are no further rows
 */
public record Sample(
    Path path,
    Format format,
    Collection<ColumnProfile> columns,
    long rows,
    long uneven,
    boolean whole) {
  private static final int MAX_LINE_BYTES = 1 << 20;
  private static final int SNIFFED_ROWS = 50;
  private static final char[] DELIMITERS = {',', ';', '\t', '|'};

  /**
   * Checks that there is a column of a name, or that none is asked for.
   *
   * @param key of the setting that names it
   * @throws SampleException naming the nearest, otherwise
   */
  public void requireColumn(String key, String field) {
    List<String> names = columns.stream().map(ColumnProfile::name).toList();
    if (!field.isEmpty() && !names.contains(field)) {
      throw new SampleException(
          "%s: no column '%s' in the first %d rows of %s%s; columns are: %s"
              .formatted(
                  key, field, rows, path, Nearest.hint(field, names), String.join(", ", names)));
    }
  }

  /** How rows are read. */
  public sealed interface Format {
    /**
     * Comma-separated values, or separated by another character.
     *
     * @param header whether the first row names the columns
     * @param missing texts that stand for no value
     */
    record Csv(char delimiter, boolean header, List<String> missing) implements Format {}

    /**
     * JSON objects.
     *
     * @param lines whether each stands in a line of its own, and not all of them in an array
     */
    record Json(boolean lines) implements Format {}
  }

  /**
   * Finds out the format of a file, and looks at its rows.
   *
   * @param label field that is to be predicted: a first row that has it is a header
   * @param most rows to look at
   * @throws SampleException where the file cannot be read, or is neither CSV nor JSON
   */
  public static Sample sniff(Path path, String label, long most) {
    return reading(
        path,
        () -> {
          int first = firstByte(path);
          return first == '{' || first == '['
              ? json(path, new Format.Json(first == '{'), most)
              : csv(path, sniffCsv(path, label), List.of(), most);
        });
  }

  /**
   * Looks at the rows of a file.
   *
   * @param names of the columns where the format has no header; empty: {@code c1}, {@code c2} and so on
   * @param most rows to look at
   * @throws SampleException where the file cannot be read, or is not in this format
   */
  public static Sample read(Path path, Format format, List<String> names, long most) {
    return reading(
        path,
        () ->
            switch (format) {
              case Format.Csv csv -> csv(path, csv, names, most);
              case Format.Json json -> json(path, json, most);
            });
  }

  private interface Reading {
    Sample read() throws IOException;
  }

  private static Sample reading(Path path, Reading reading) {
    Sample sample;
    try {
      sample = reading.read();
    } catch (IOException e) {
      throw new SampleException(
          "cannot read %s (%s)".formatted(path, FileSource.reason(path, e)), e);
    } catch (SourceException | JacksonException e) {
      throw new SampleException("%s: %s".formatted(path, e.getMessage()), e);
    }
    if (sample.rows == 0) {
      throw new SampleException(path + ": has no rows to look at");
    }
    return sample;
  }

  /** Rows in which a column has no value. */
  long missing(ColumnProfile column) {
    return rows - column.values();
  }

  private static int firstByte(Path path) throws IOException {
    try (InputStream in = new BufferedInputStream(FileSource.open(path))) {
      int c = in.read();
      while (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0xef || c == 0xbb
          || c == 0xbf) {
        c = in.read();
      }
      return c;
    }
  }

  // CSV

  private static Sample csv(Path path, Format.Csv format, List<String> given, long most)
      throws IOException {
    try (InputStream in = FileSource.open(path)) {
      CsvTexts reader = new CsvTexts(in, format.delimiter, MAX_LINE_BYTES);
      List<String> row = reader.next();
      List<String> names = names(format, given, row);
      row = format.header ? reader.next() : row;
      ColumnProfile[] columns =
          names.stream().map(ColumnProfile::new).toArray(ColumnProfile[]::new);
      long rows = 0;
      long uneven = 0;
      for (; row != null && rows < most; row = reader.next()) {
        if (row.size() == columns.length) {
          note(row, columns, format.missing);
          rows++;
        } else {
          uneven++;
        }
      }
      return new Sample(path, format, List.of(columns), rows, uneven, row == null);
    }
  }

  private static List<String> names(
      Format.Csv format, List<String> given, @Nullable List<String> first) {
    if (first == null) {
      return List.of();
    }
    if (!format.header) {
      return given.isEmpty() ? numbered(first.size()) : given;
    }
    List<String> names = first.stream().map(String::strip).toList();
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!name.isEmpty() && !seen.add(name)) {
        throw new SourceException(
            "column '%s' is named twice in the first row; names must differ".formatted(name));
      }
    }
    return names;
  }

  private static List<String> numbered(int columns) {
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= columns; i++) {
      names.add("c" + i);
    }
    return names;
  }

  private static void note(List<String> row, ColumnProfile[] columns, List<String> missing) {
    for (int i = 0; i < columns.length; i++) {
      String text = row.get(i);
      if (!text.isBlank() && !missing.contains(text.strip())) {
        columns[i].add(text);
      }
    }
  }

  /** The delimiter that cuts most of the first rows into equally many columns; of several, the one that makes most of them. */
  private static Format.Csv sniffCsv(Path path, String label) throws IOException {
    char best = ',';
    double bestScore = 0;
    List<List<String>> bestRows = List.of();
    for (char delimiter : DELIMITERS) {
      List<List<String>> rows = firstRows(path, delimiter);
      double score = evenness(rows);
      if (score > bestScore || bestRows.isEmpty()) {
        best = delimiter;
        bestScore = score;
        bestRows = rows;
      }
    }
    return new Format.Csv(best, isHeader(bestRows, label), List.of());
  }

  private static List<List<String>> firstRows(Path path, char delimiter) throws IOException {
    List<List<String>> rows = new ArrayList<>();
    try (InputStream in = FileSource.open(path)) {
      CsvTexts reader = new CsvTexts(in, delimiter, MAX_LINE_BYTES);
      List<String> row = reader.next();
      while (row != null && rows.size() < SNIFFED_ROWS) {
        rows.add(row);
        row = reader.next();
      }
    }
    return rows;
  }

  /** Share of rows as wide as the first, times columns; 0 for a single column. */
  private static double evenness(List<List<String>> rows) {
    if (rows.isEmpty() || rows.getFirst().size() < 2) {
      return 0;
    }
    int width = rows.getFirst().size();
    long even = rows.stream().filter(row -> row.size() == width).count();
    double share = (double) even / rows.size();
    return share > 0.9 ? 1000 * width * share : share;
  }

  private static boolean isHeader(List<List<String>> rows, String label) {
    if (rows.isEmpty()) {
      return false;
    }
    List<String> first = rows.getFirst().stream().map(String::strip).toList();
    return first.contains(label)
        || (new HashSet<>(first).size() == first.size()
            && first.stream().noneMatch(Sample::isNumber));
  }

  private static boolean isNumber(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return !Double.isNaN(Decimals.parse(utf8, 0, utf8.length));
  }

  // JSON

  private static Sample json(Path path, Format.Json format, long most) throws IOException {
    Map<List<Object>, ColumnProfile> columns = new LinkedHashMap<>();
    long rows = 0;
    boolean whole;
    try (InputStream in = FileSource.open(path);
        MappingIterator<JsonNode> objects =
            JsonMapper.shared().readerFor(JsonNode.class).readValues(in)) {
      while (rows < most && objects.hasNextValue()) {
        JsonNode object = objects.nextValue();
        if (!object.isObject()) {
          throw new SourceException("row %d is no JSON object".formatted(rows + 1));
        }
        note(object, List.of(), columns);
        rows++;
      }
      whole = !objects.hasNextValue();
    }
    return new Sample(path, format, List.copyOf(columns.values()), rows, 0, whole);
  }

  private static void note(
      JsonNode object, List<Object> path, Map<List<Object>, ColumnProfile> columns) {
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      List<Object> at = new ArrayList<>(path);
      at.add(field.getKey());
      JsonNode value = field.getValue();
      if (value.isObject()) {
        note(value, at, columns);
      } else {
        ColumnProfile column =
            columns.computeIfAbsent(at, steps -> new ColumnProfile(new JsonPath(steps).toString()));
        if (value.isArray()) {
          column.addArray(value.size(), value.valueStream().allMatch(JsonNode::isNumber));
        } else if (!value.isNull() && !value.asString().isEmpty()) {
          column.add(value.asString());
        }
      }
    }
  }
}
