package io.penstock.config;

import java.util.HashSet;
import java.util.List;

/** How the bytes of rows are read. Either way a row is a line, in UTF-8. */
@Planned({"avro", "protobuf", "arrow", "binary"})
public sealed interface FormatConfig {

  /** Whether the first row of a partition names the columns, and is none itself. */
  boolean header();

  /** Names of the columns where there is no header; empty: as the schema names them. */
  List<String> columns();

  /**
   * Comma-separated values (RFC 4180).
   *
   * @param header whether the first row of a partition names the columns; without one they come in the order of the schema,
   *     the label last unless {@code columns} says otherwise
   * @param delimiter one ASCII character
   * @param columns names of the columns where there is no header; empty: fields of the schema, then the label
   * @param missing texts that mean an empty value, beside the empty text itself; in quotes they are ordinary text
   */
  record Csv(
      @Key(byDefault = "true") boolean header,
      @Key(byDefault = "','") String delimiter,
      @Key(byDefault = "[]") List<String> columns,
      @Key(byDefault = "[]") List<String> missing)
      implements FormatConfig {
    /** As it is where nothing else is said. */
    public static final Csv WITH_HEADER = new Csv(true, ",", List.of(), List.of());

    /** Checks the delimiter, the columns and the texts for missing values. */
    public Csv {
      columns = List.copyOf(columns);
      missing = List.copyOf(missing);
      if (delimiter.length() != 1 || delimiter.charAt(0) > 126 || "\"\r\n\0".contains(delimiter)) {
        throw new InvalidSetting(
            "delimiter",
            "must be one ASCII character, neither quote nor line end, not \"" + delimiter + '"');
      }
      if (header && !columns.isEmpty()) {
        throw new InvalidSetting(
            "columns", "must be left out where the header names the columns (header: false?)");
      }
      if (new HashSet<>(columns).size() < columns.size()) {
        throw new InvalidSetting("columns", "must name each column once, not " + columns);
      }
      for (String text : missing) {
        if (text.isEmpty()
            || !text.strip().equals(text)
            || text.matches("(?s).*[\"\r\n].*")
            || text.contains(delimiter)) {
          throw new InvalidSetting(
              "missing",
              "must be texts without quotes, delimiters, line ends and space around them, not '"
                  + text
                  + "'");
        }
      }
    }
  }

  /**
   * A JSON object a line (NDJSON). Fields of the schema, its label, weight and event time are paths: {@code user.age}, {@code
   * items[0].price}, {@code ["a.b"].c} where a key has a dot or a bracket itself. A string stands for the text it holds, as a
   * CSV value does; a field that is absent, null or "" is missing.
   *
   * @param unknown whether fields that the schema does not name are ignored, or their row is rejected
   */
  record Json(@Key(byDefault = "ignore") UnknownFields unknown) implements FormatConfig {
    @Override
    public boolean header() {
      return false;
    }

    @Override
    public List<String> columns() {
      return List.of();
    }
  }

  /** What becomes of fields that the schema does not name. */
  enum UnknownFields {
    /** They are passed over. */
    IGNORE,
    /** Their row is rejected. */
    REJECT
  }
}
