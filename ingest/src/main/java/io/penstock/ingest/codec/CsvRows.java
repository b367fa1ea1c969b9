package io.penstock.ingest.codec;

import io.penstock.config.FormatConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.Rejections.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows to be predicted as comma-separated values (RFC 4180), read as the rows of the training are, but for label and weight, which
 * need not be there. Used again and again; not thread-safe.
 */
public final class CsvRows implements UnlabelledRows {
  private static final int BUFFER_BYTES = 16 << 10;

  private final BlockSchema schema;
  private final Block block;
  private final List<String> missing;
  private final byte delimiter;
  private final boolean timed;
  private final int maxRowBytes;
  private final RowScanner scanner;
  private byte[] bytes = new byte[BUFFER_BYTES];
  private InputStream in = InputStream.nullInputStream();
  private int position;
  private int limit;
  private boolean ended;

  /** Whether quoted values may hold line ends: until one that is never closed has been met. */
  private boolean multiline;

  private @Nullable Columns columns;
  private String refusal = "";

  /** What the columns of the rows at hand need; kept, as the next rows mostly have the same. */
  private record Columns(List<String> names, RowWriter writer, QuotedRow quoted) {}

  /**
   * Reads into {@code block}.
   *
   * @param csv delimiter and texts for missing values
   * @param timed whether rows must have their event time; otherwise it need not be there, either
   * @param maxRowBytes a longer row, and what follows it, cannot be read
   */
  public CsvRows(FormatConfig.Csv csv, Block block, boolean timed, int maxRowBytes) {
    this.timed = timed;
    this.block = block;
    this.maxRowBytes = maxRowBytes;
    schema = block.layout().schema();
    missing = csv.missing();
    delimiter = (byte) csv.delimiter().charAt(0);
    scanner = new RowScanner(delimiter);
  }

  /**
   * Begins to read rows whose first line has the names of the columns.
   *
   * @throws SourceException where there is no such line, or a field of the schema is not named in it
   */
  public void beginWithHeader(InputStream from) throws IOException {
    int end = firstRow(from);
    if (end < 0) {
      throw new SourceException(
          "no header: the first line must have the names of the columns, among them %s"
              .formatted(fields()));
    }
    use(CsvHeader.parse(bytes, position, end, (char) delimiter));
    position = behind(end);
    scanner.reset();
  }

  /**
   * Begins to read rows without a header.
   *
   * @param order of the columns; empty: as the schema has them. Rows may leave out those that are no features
   */
  public void begin(InputStream from, List<String> order) throws IOException {
    int end = firstRow(from);
    List<String> names = order.isEmpty() ? ColumnMap.defaultNames(schema) : order;
    use(end >= 0 && values(end) == names.size() ? names : featuresOf(names));
    scanner.reset();
  }

  /** Where the first line that is not blank ends, without its line end; -1: there is none. */
  private int firstRow(InputStream from) throws IOException {
    in = from;
    position = 0;
    limit = 0;
    ended = false;
    multiline = true;
    scanner.reset();
    int end = rowEnd();
    while (end >= 0 && withoutReturn(position, end) == position) {
      position = behind(end);
      scanner.reset();
      end = rowEnd();
    }
    return end;
  }

  private String fields() {
    return String.join(", ", schema.columns().stream().map(BlockSchema.Column::name).toList());
  }

  private List<String> featuresOf(List<String> all) {
    List<String> features = new ArrayList<>(all);
    features.remove(schema.label().field());
    features.remove(schema.weightField());
    if (!timed) {
      features.remove(schema.timeField());
    }
    return features;
  }

  private int values(int end) {
    return CsvHeader.parse(bytes, position, end, (char) delimiter).size();
  }

  private void use(List<String> given) {
    if (columns == null || !columns.names.equals(given)) {
      ColumnMap map = ColumnMap.ofFeatures(schema, given, "the header", timed);
      RowWriter writer = new RowWriter(map, block.layout(), new ClassNumbering(), missing);
      writer.use(block);
      columns = new Columns(given, writer, new QuotedRow(writer, delimiter));
    }
  }

  @Override
  public Next next(int row) throws IOException {
    while (true) {
      int end = rowEnd();
      if (end < 0) {
        return Next.END;
      }
      int from = position;
      int to = withoutReturn(from, end);
      position = behind(end);
      scanner.reset();
      if (to > from) {
        return decode(from, to, row);
      }
    }
  }

  private Next decode(int from, int to, int row) {
    Columns known = columns;
    if (known == null) {
      throw new IllegalStateException("begin comes first");
    }
    Reason reason = known.quoted.decode(bytes, from, to, row);
    if (reason == null) {
      var _ = known.writer.complete(row, row);
      return Next.ROW;
    }
    refusal = known.quoted.detail();
    return Next.REFUSED;
  }

  @Override
  public String refusal() {
    return refusal;
  }

  /** Where the row at {@link #position} ends, without its line end; -1: there is none. */
  private int rowEnd() throws IOException {
    while (true) {
      int end = scanner.find(bytes, position, limit, multiline);
      if (end >= 0) {
        return end;
      }
      if (!ended) {
        fill();
      } else if (multiline && scanner.isQuoted()) {
        multiline = false; // what is never closed shall take no other row with it
        scanner.reset();
      } else {
        return position < limit ? limit : -1;
      }
    }
  }

  private int withoutReturn(int from, int end) {
    return end > from && bytes[end - 1] == '\r' ? end - 1 : end;
  }

  private int behind(int end) {
    return Math.min(end + 1, limit);
  }

  private void fill() throws IOException {
    if (limit - position > maxRowBytes) {
      throw new SourceException(
          "a row is longer than %d bytes, the most that is taken".formatted(maxRowBytes));
    }
    if (position > 0) {
      System.arraycopy(bytes, position, bytes, 0, limit - position);
      limit -= position;
      position = 0;
    }
    if (limit == bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * limit);
    }
    int read = in.read(bytes, limit, bytes.length - limit);
    if (read < 0) {
      ended = true;
    } else {
      limit += read;
    }
  }
}
