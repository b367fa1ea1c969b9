package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.penstock.config.SourceConfig.CsvConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Rejections.Reason;
import io.penstock.pipeline.SourceContext;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns the bytes of one partition into columnar blocks (RFC 4180). Rows that cannot be decoded go to the rejections and leave
 * no trace in a block. What comes out does not depend on how the bytes were cut. Not thread-safe.
 *
 * <p>Bytes are copied once into a window on the heap, where a row is decoded when it is there as a whole: by {@link PlainRow}
 * if it can be, otherwise by a {@link RowScanner} for its end and a {@link QuotedRow} for its values.
 *
 * <p>A decoder {@link #ofLines of lines} takes each line for a row, so that whoever sends can number rows without knowing
 * about quotes; an empty line says that all rows have come, and what has no line end is no row.
 */
public final class CsvDecoder {

  /** Why {@link #decode} returned. */
  public enum Progress {
    /** All bytes are taken in, and no whole row is left. */
    STARVED,
    /** The block is full: {@link #takeBlock} comes next. */
    BLOCK_FULL,
    /** There is a row and no block for it: the pool has none free. */
    NO_BLOCK,
    /** After {@link #finish}: every row is decoded. */
    ENDED
  }

  private static final int KEPT_OF_LONG_ROW_BYTES = 4096;

  private final BlockSchema schema;
  private final ClassNumbering numbering;
  private final PartitionCursor cursor;
  private final SourceContext context;
  private final int maxLineBytes;
  private final boolean ofLines;
  private final int maxSeenBytes; // of one row: one more than it may have
  private final int capacityRows;
  private final byte delimiter;
  private final boolean hasHeader;
  private final List<String> missing;
  private final RowScanner scanner;
  private @Nullable Columns columns; // null until the header is read

  private final ByteWindow window;

  /** Quoted fields span lines only from this offset on: one before it was never closed. */
  private long pairedFrom;

  private boolean begun;
  private boolean ended;
  private boolean torn;

  // Of lines only:
  private boolean complete; // the empty line has come
  private boolean overrun; // and something behind it

  private byte @Nullable [] longRow; // beginning of a row that is being skipped
  private long longRowOffset;

  private @Nullable Block block;
  private int rows;
  private long nextRow;
  private long sealedRow;
  private long arrivalNanos;

  /** What the columns of this partition need. */
  private record Columns(RowWriter writer, PlainRow plain, QuotedRow quoted) {
    void use(Block block) {
      writer.use(block);
      plain.use(block);
    }
  }

  /**
   * A decoder at {@code cursor}'s position.
   *
   * @param numbering shared by all decoders of a source
   * @param maxLineBytes longer rows are rejected
   */
  public CsvDecoder(
      CsvConfig csv,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes) {
    this(csv, schema, numbering, cursor, context, maxLineBytes, false);
  }

  /**
   * A decoder of lines, each of them a row: a quoted value cannot hold a line end. Positions are counted in rows.
   *
   * @param columnNames of the header, which is not among the lines; not looked at where the format has none
   * @param firstRow number of the first line
   * @throws SourceException where a field of the schema is not among the names
   */
  public static CsvDecoder ofLines(
      CsvConfig csv,
      List<String> columnNames,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      long firstRow,
      SourceContext context,
      int maxLineBytes) {
    CsvDecoder decoder =
        new CsvDecoder(csv, schema, numbering, cursor, context, maxLineBytes, true);
    if (csv.header()) {
      decoder.useHeader(columnNames);
    }
    decoder.begun = true;
    decoder.nextRow = firstRow;
    decoder.sealedRow = firstRow;
    return decoder;
  }

  private CsvDecoder(
      CsvConfig csv,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes,
      boolean ofLines) {
    this.ofLines = ofLines;
    this.schema = schema;
    this.numbering = numbering;
    this.cursor = cursor;
    this.context = context;
    this.maxLineBytes = maxLineBytes;
    capacityRows = context.pool().layout().capacityRows();
    delimiter = delimiter(csv.delimiter());
    hasHeader = csv.header();
    missing = csv.missing();
    scanner = new RowScanner(delimiter);
    maxSeenBytes = (int) Math.min(maxLineBytes + 1L, Integer.MAX_VALUE - 64);
    window = new ByteWindow(cursor.nextOffset(), maxSeenBytes);
    nextRow = cursor.nextRow();
    sealedRow = nextRow;
    begun = cursor.nextOffset() > 0;
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

  /**
   * Names the columns where the header itself will not be read, because the partition resumes behind it.
   *
   * @throws SourceException where a field of the schema is not among them
   */
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

  /**
   * Checks what {@link #useHeader} would.
   *
   * @param where what has these columns, for errors
   * @throws SourceException where a field of the schema is not among the names
   */
  public static void checkHeader(BlockSchema schema, List<String> columnNames, String where) {
    ColumnMap.of(schema, columnNames, where);
  }

  /**
   * Takes bytes from {@code in} and decodes until these are used up or the block is full. To be called again, with the same
   * buffer, as long as it answers anything but {@code STARVED}. The buffer stays the caller's.
   *
   * @param arrivalNanos when the bytes came, nanoseconds since 1970
   * @throws SourceException where the header lacks a field of the schema
   */
  public Progress decode(ByteBuf in, long arrivalNanos) {
    while (true) {
      Progress progress = decodeWindow();
      if (progress != Progress.STARVED) {
        return progress;
      }
      if (complete) {
        overrun |= hasMoreThanLineEnds(in);
        in.skipBytes(in.readableBytes());
      }
      if (!in.isReadable()) {
        return ended ? Progress.ENDED : Progress.STARVED;
      }
      this.arrivalNanos = arrivalNanos;
      window.fill(in);
    }
  }

  private static boolean hasMoreThanLineEnds(ByteBuf bytes) {
    return bytes.forEachByte(c -> c == '\n' || c == '\r') >= 0;
  }

  /** Whether the empty line has come that says: these were all rows. */
  public boolean isComplete() {
    return complete;
  }

  /** Whether anything but line ends came behind the empty line. */
  public boolean isOverrun() {
    return overrun;
  }

  /** Whether the end of the bytes is that of the partition, too: lines go on with the next connection. */
  boolean endsPartition() {
    return !ofLines;
  }

  /** No byte follows: the last row may lack its newline. Then {@link #decode} with an empty buffer until {@code ENDED}. */
  public void finish() {
    ended = true;
  }

  /** The connection broke: as {@link #finish}, but a row without its newline is torn, and rejected. */
  public void finishTorn() {
    torn = true;
    ended = true;
  }

  /** Hands over the block, full or not, or one without rows if rows were rejected; null where nothing was decoded since. */
  public @Nullable Block takeBlock() {
    Block taken = block;
    if (taken == null || !holdsRows()) {
      release();
      return null;
    }
    long offset = ofLines ? nextRow : longRow == null ? window.offset() : longRowOffset;
    taken.seal(rows, nextRow, offset, arrivalNanos);
    sealedRow = nextRow;
    block = null;
    rows = 0;
    return taken;
  }

  /** Whether {@link #takeBlock} has something to hand over. */
  boolean holdsRows() {
    return block != null && nextRow != sealedRow;
  }

  PartitionCursor cursor() {
    return cursor;
  }

  /** Gives back the block being filled. */
  public void release() {
    Block unused = block;
    block = null;
    rows = 0;
    if (unused != null) {
      unused.release();
    }
  }

  private Progress decodeWindow() {
    if (isFull()) {
      return Progress.BLOCK_FULL;
    }
    if (!begun && !begin()) {
      return Progress.STARVED;
    }
    while (mayHoldRow()) {
      if (longRow != null) {
        skipLongRow(longRow);
        continue;
      }
      Columns known = columns;
      if (known == null) {
        if (!readHeader()) {
          return Progress.STARVED;
        }
        continue;
      }
      if (block == null && !acquire(known)) {
        return Progress.NO_BLOCK;
      }
      decodePlainRows(known);
      if (isFull()) {
        return Progress.BLOCK_FULL;
      }
      if (mayHoldRow() && !decodeRow(known)) {
        return Progress.STARVED;
      }
      if (isFull()) {
        return Progress.BLOCK_FULL;
      }
    }
    return Progress.STARVED;
  }

  private boolean isFull() {
    return rows == capacityRows;
  }

  /** Skips a byte order mark; false where too few bytes have come to tell. */
  private boolean begin() {
    if (window.length() < CsvHeader.BOM_BYTES && !ended) {
      return false;
    }
    begun = true;
    if (CsvHeader.startsWithBom(window.bytes(), window.position(), window.limit())) {
      window.moveTo(window.position() + CsvHeader.BOM_BYTES);
    }
    return true;
  }

  private boolean mayHoldRow() {
    if (ofLines && ended) {
      return !complete && window.position() < window.linesEnd();
    }
    boolean bytesLeft = window.length() > 0;
    return window.position() < window.linesEnd()
        || isOverlong()
        || (longRow != null && (bytesLeft || ended))
        || (ended && bytesLeft);
  }

  private boolean acquire(Columns known) {
    Block acquired = context.pool().tryAcquire(context.epoch(), cursor);
    if (acquired == null) {
      return false;
    }
    block = acquired;
    known.use(acquired);
    return true;
  }

  /** The hot loop: rows that end in the window and are plain. */
  private void decodePlainRows(Columns known) {
    if (scanner.isInRow()) {
      return;
    }
    final int capacityRows = this.capacityRows;
    final RowWriter writer = known.writer;
    final PlainRow plain = known.plain;
    final byte[] text = window.bytes();
    final int end = window.linesEnd();
    int p = window.position();
    int row = rows;
    long number = nextRow;
    while (row < capacityRows && p < end) {
      int next = plain.decode(text, p, row);
      if (next < 0 || next - p - 1 > maxLineBytes || writer.complete(row, number) != null) {
        break;
      }
      p = next;
      row++;
      number++;
    }
    window.moveTo(p);
    rows = row;
    nextRow = number;
  }

  /** Decodes or rejects one row of any kind; false where its end has not come. */
  private boolean decodeRow(Columns known) {
    int end = rowEnd();
    if (end < 0 && !isOverlong() && !ended) {
      return false;
    }
    if (end < 0 && torn && !isOverlong() && window.position() >= window.linesEnd()) {
      rejectRow(Reason.SYNTAX, Rejections.TORN, window.limit(), window.limit());
    } else if (end < 0 && (isOverlong() || scanner.isQuoted())) {
      rejectUnending();
    } else {
      int to = end < 0 ? window.limit() : end;
      decodeRow(known, withoutReturn(to), Math.min(to + 1, window.limit()));
    }
    scanner.reset();
    return true;
  }

  private void decodeRow(Columns known, int to, int next) {
    if (to == window.position()) {
      window.moveTo(next); // a blank line is not a row
      if (ofLines) {
        complete();
      }
      return;
    }
    Reason reason = known.quoted.decode(window.bytes(), window.position(), to, rows);
    String detail = known.quoted.detail();
    if (reason == null) {
      reason = known.writer.complete(rows, nextRow);
      detail = reason == null ? "" : known.writer.explainNumbering();
    }
    if (reason == null) {
      window.moveTo(next);
      rows++;
      nextRow++;
    } else {
      rejectRow(reason, detail, to, next);
    }
  }

  private void complete() {
    complete = true;
    ended = true;
    for (int p = window.position(); p < window.limit(); p++) {
      overrun |= window.bytes()[p] != '\n' && window.bytes()[p] != '\r';
    }
  }

  private int rowEnd() {
    boolean multiline = !ofLines && window.offset() >= pairedFrom;
    return scanner.find(window.bytes(), window.position(), seenEnd(), multiline);
  }

  /** Behind the last byte that a row may have, or its newline; or behind the last one that has come. */
  private int seenEnd() {
    return window.position() + Math.min(window.length(), maxSeenBytes);
  }

  private boolean isOverlong() {
    return window.length() > maxLineBytes;
  }

  private int withoutReturn(int end) {
    return end > window.position() && window.bytes()[end - 1] == '\r' ? end - 1 : end;
  }

  /** A row without an end: of its lines only the first is lost if a quote swallowed the others; else it is too long. */
  private void rejectUnending() {
    int from = window.position();
    int seen = seenEnd();
    int line = window.newline(from, seen);
    if (line < seen || !isOverlong()) {
      pairedFrom = window.offset() + seen - from;
      String detail = "a quoted value is not closed within %d bytes".formatted(seen - from);
      rejectRow(Reason.SYNTAX, detail, line, Math.min(line + 1, window.limit()));
    } else {
      longRow =
          Arrays.copyOfRange(window.bytes(), from, Math.min(seen, from + KEPT_OF_LONG_ROW_BYTES));
      longRowOffset = window.offset();
      window.moveTo(seen);
    }
  }

  /** Passes over the rest of a row too long to hold, and rejects it when its end is known. */
  private void skipLongRow(byte[] kept) {
    int end = window.newline(window.position(), window.limit());
    window.moveTo(end);
    if (end < window.limit() || ended) {
      String detail =
          "the row is %d bytes long; at most %d are taken"
              .formatted(window.offset() - longRowOffset, maxLineBytes);
      reject(Reason.TOO_LONG, detail, kept, 0, kept.length);
      longRow = null;
      window.moveTo(Math.min(end + 1, window.limit()));
    }
  }

  private void rejectRow(Reason reason, String detail, int to, int next) {
    reject(reason, detail, window.bytes(), window.position(), to);
    window.moveTo(next);
  }

  private void reject(Reason reason, String detail, byte[] raw, int from, int to) {
    context.rejections().reject(cursor, nextRow, reason, detail, raw, from, to);
    nextRow++;
  }

  /** Reads the names of the columns from the first line that is not blank; false where its end has not come. */
  private boolean readHeader() {
    int end = rowEnd();
    if (end < 0 && isOverlong()) {
      throw new SourceException(
          "source %d, partition %d: the header is longer than maxLineBytes, %d"
              .formatted(cursor.source(), cursor.partition(), maxLineBytes));
    }
    if (end < 0 && !ended) {
      return false;
    }
    int to = withoutReturn(end < 0 ? window.limit() : end);
    boolean whole = end >= 0 || !torn; // of a connection lost in its header nothing is left to tell
    if (to > window.position() && whole) {
      useHeader(CsvHeader.parse(window.bytes(), window.position(), to, (char) delimiter));
    }
    window.moveTo(end < 0 ? window.limit() : end + 1);
    scanner.reset();
    return true;
  }
}
