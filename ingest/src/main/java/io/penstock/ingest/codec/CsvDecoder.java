package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import io.penstock.pipeline.SourceContext;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Comma-separated values (RFC 4180). A row is decoded by {@link PlainRow} if it can be, otherwise by a {@link RowScanner} for its
 * end and a {@link QuotedRow} for its values.
 */
final class CsvDecoder extends RowDecoder {
  private final BlockSchema schema;
  private final ClassNumbering numbering;
  private final byte delimiter;
  private final boolean hasHeader;
  private final List<String> missing;
  private final RowScanner scanner;
  private @Nullable Columns columns; // null until the header is read

  /** Quoted fields span lines only from this offset on: one before it was never closed. */
  private long pairedFrom;

  /** What the columns of this partition need. */
  private record Columns(RowWriter writer, PlainRow plain, QuotedRow quoted) {}

  CsvDecoder(
      FormatConfig.Csv csv,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes,
      boolean ofLines) {
    super(cursor, context, maxLineBytes, ofLines);
    this.schema = schema;
    this.numbering = numbering;
    delimiter = delimiter(csv.delimiter());
    hasHeader = csv.header();
    missing = csv.missing();
    scanner = new RowScanner(delimiter);
    if (!csv.header()) {
      useHeader(csv.columns().isEmpty() ? ColumnMap.defaultNames(schema) : csv.columns());
    }
  }

  private static byte delimiter(String text) {
    if (text.length() != 1 || text.charAt(0) > 0x7e || "\"\r\n+-.0123456789".contains(text)) {
      throw new SourceException(
          "format.csv.delimiter: must be one ASCII character that is in no number, no quote and no line end, not '"
              + text
              + "'");
    }
    return (byte) text.charAt(0);
  }

  @Override
  public void useHeader(List<String> columnNames) {
    String where = "source %d, partition %d".formatted(cursor.source(), cursor.partition());
    ColumnMap map = ColumnMap.of(schema, columnNames, where);
    if (hasHeader) {
      cursor.header(CsvHeader.line(columnNames, (char) delimiter));
    }
    RowWriter writer = new RowWriter(map, context.pool().layout(), numbering, missing);
    columns =
        new Columns(writer, new PlainRow(writer, delimiter), new QuotedRow(writer, delimiter));
  }

  private Columns known() {
    return Objects.requireNonNull(columns, "the header comes first");
  }

  @Override
  boolean hasColumns() {
    return columns != null;
  }

  @Override
  void readHeader(byte[] text, int from, int to) {
    useHeader(CsvHeader.parse(text, from, to, (char) delimiter));
  }

  @Override
  RowWriter writer() {
    return known().writer;
  }

  @Override
  void use(Block block) {
    known().writer.use(block);
    known().plain.use(block);
  }

  @Override
  int decodePlain(byte[] text, int from, int row) {
    return known().plain.decode(text, from, row);
  }

  @Override
  @Nullable Reason decodeRow(byte[] text, int from, int to, int row) {
    return known().quoted.decode(text, from, to, row);
  }

  @Override
  String detail() {
    return known().quoted.detail();
  }

  @Override
  int rowEnd() {
    boolean multiline = !ofLines && window.offset() >= pairedFrom;
    return scanner.find(window.bytes(), window.position(), seenEnd(), multiline);
  }

  @Override
  boolean isInRow() {
    return scanner.isInRow();
  }

  @Override
  boolean isQuoted() {
    return scanner.isQuoted();
  }

  @Override
  void leaveRow() {
    scanner.reset();
  }

  @Override
  void unquote(long offset) {
    pairedFrom = offset;
  }
}
