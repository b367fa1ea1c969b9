package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.penstock.config.FormatConfig;
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
 * Turns the bytes of one partition into columnar blocks. Rows that cannot be decoded go to the rejections and leave no trace in
 * a block. What comes out does not depend on how the bytes were cut. Not thread-safe.
 *
 * <p>Bytes are copied once into a window on the heap, where a row is decoded when it is there as a whole. What a row looks like
 * is the format's: {@link #decodePlain} is the fast way through one, {@link #decodeRow} the thorough one.
 *
 * <p>A decoder {@link #ofLines of lines} takes each line for a row, so that whoever sends can number rows without knowing
 * about the format; an empty line says that all rows have come, and what has no line end is no row.
 */
public abstract sealed class RowDecoder permits CsvDecoder, JsonDecoder {

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

  final PartitionCursor cursor;
  final SourceContext context;
  final boolean ofLines;
  ByteWindow window;
  private boolean endsPartition;
  private final int maxLineBytes;
  private final int maxSeenBytes; // of one row: one more than it may have
  private final int capacityRows;

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

  RowDecoder(PartitionCursor cursor, SourceContext context, int maxLineBytes, boolean ofLines) {
    this.cursor = cursor;
    this.context = context;
    this.maxLineBytes = maxLineBytes;
    this.ofLines = ofLines;
    endsPartition = !ofLines;
    capacityRows = context.pool().layout().capacityRows();
    maxSeenBytes = (int) Math.min(maxLineBytes + 1L, Integer.MAX_VALUE - 64);
    window = new ByteWindow(cursor.nextOffset(), maxSeenBytes);
    nextRow = cursor.nextRow();
    sealedRow = nextRow;
    begun = cursor.nextOffset() > 0;
  }

  /**
   * A decoder at {@code cursor}'s position. Where the format has a header and that will not be read, because the partition
   * resumes behind it, {@link #useHeader} comes next.
   *
   * @param numbering shared by all decoders of a source
   * @param maxLineBytes longer rows are rejected
   */
  public static RowDecoder of(
      FormatConfig format,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes) {
    return of(format, schema, numbering, cursor, context, maxLineBytes, false);
  }

  /**
   * A decoder of lines, each of them a row: a quoted value cannot hold a line end. Positions are counted in rows.
   *
   * @param columnNames of the header, which is not among the lines; not looked at where the format has none
   * @param firstRow number of the first line
   * @throws SourceException where a field of the schema is not among the names
   */
  public static RowDecoder ofLines(
      FormatConfig format,
      List<String> columnNames,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      long firstRow,
      SourceContext context,
      int maxLineBytes) {
    RowDecoder decoder = of(format, schema, numbering, cursor, context, maxLineBytes, true);
    if (format.header()) {
      decoder.useHeader(columnNames);
    }
    decoder.begun = true;
    decoder.nextRow = firstRow;
    decoder.sealedRow = firstRow;
    return decoder;
  }

  private static RowDecoder of(
      FormatConfig format,
      BlockSchema schema,
      ClassNumbering numbering,
      PartitionCursor cursor,
      SourceContext context,
      int maxLineBytes,
      boolean ofLines) {
    return switch (format) {
      case FormatConfig.Csv csv ->
          new CsvDecoder(csv, schema, numbering, cursor, context, maxLineBytes, ofLines);
      case FormatConfig.Json json ->
          new JsonDecoder(json, schema, numbering, cursor, context, maxLineBytes, ofLines);
    };
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
   * Names the columns where the header itself will not be read, because the partition resumes behind it.
   *
   * @throws SourceException where a field of the schema is not among them
   */
  public void useHeader(List<String> columnNames) {
    throw new IllegalStateException("rows of this format name their fields themselves");
  }

  /**
   * Takes bytes from {@code in} and decodes until these are used up or the block is full. To be called again, with the same
   * buffer, as long as it answers anything but {@code STARVED}. The buffer stays the caller's.
   *
   * @param arrivalNanos when the bytes came, nanoseconds since 1970
   * @throws SourceException where the header lacks a field of the schema
   */
  public final Progress decode(ByteBuf in, long arrivalNanos) {
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

  /** Whether the end of the bytes is that of the partition, too: it may go on with other bytes. */
  boolean endsPartition() {
    return endsPartition;
  }

  /**
   * To be called first, where a partition is several runs of bytes: this is one of them.
   *
   * @param row number of its first row
   * @param offset of its first byte that is not decoded, over all runs
   * @param begins whether that is its first byte, so that a header may come
   * @param last whether the partition ends with it
   */
  public void beginAt(long row, long offset, boolean begins, boolean last) {
    window = new ByteWindow(offset, maxSeenBytes);
    nextRow = row;
    sealedRow = row;
    begun = !begins;
    endsPartition = last;
  }

  /** Number of the row that comes next. */
  public long nextRow() {
    return nextRow;
  }

  /** Where the bytes that are not decoded begin. */
  public long nextOffset() {
    return window.offset();
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
      if (!hasColumns()) {
        if (!readHeader()) {
          return Progress.STARVED;
        }
        continue;
      }
      if (block == null && !acquire()) {
        return Progress.NO_BLOCK;
      }
      decodePlainRows();
      if (isFull()) {
        return Progress.BLOCK_FULL;
      }
      if (mayHoldRow() && !decodeRow()) {
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

  private boolean acquire() {
    Block acquired = context.pool().tryAcquire(context.epoch(), cursor);
    if (acquired == null) {
      return false;
    }
    block = acquired;
    use(acquired);
    return true;
  }

  /** The hot loop: rows that end in the window and are plain. */
  private void decodePlainRows() {
    if (isInRow()) {
      return;
    }
    final int capacityRows = this.capacityRows;
    final RowWriter writer = writer();
    final byte[] text = window.bytes();
    final int end = window.linesEnd();
    int p = window.position();
    int row = rows;
    long number = nextRow;
    while (row < capacityRows && p < end) {
      int next = decodePlain(text, p, row);
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
  private boolean decodeRow() {
    int end = rowEnd();
    if (end < 0 && !isOverlong() && !ended) {
      return false;
    }
    if (end < 0 && torn && !isOverlong() && window.position() >= window.linesEnd()) {
      rejectRow(Reason.SYNTAX, Rejections.TORN, window.limit(), window.limit());
    } else if (end < 0 && (isOverlong() || isQuoted())) {
      rejectUnending();
    } else {
      int to = end < 0 ? window.limit() : end;
      decodeRow(withoutReturn(to), Math.min(to + 1, window.limit()));
    }
    leaveRow();
    return true;
  }

  private void decodeRow(int to, int next) {
    if (to == window.position()) {
      window.moveTo(next); // a blank line is not a row
      if (ofLines) {
        complete();
      }
      return;
    }
    Reason reason = decodeRow(window.bytes(), window.position(), to, rows);
    String detail = reason == null ? "" : detail();
    if (reason == null) {
      reason = writer().complete(rows, nextRow);
      detail = reason == null ? "" : writer().explainNumbering();
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

  /** Behind the last byte that a row may have, or its newline; or behind the last one that has come. */
  final int seenEnd() {
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
      unquote(window.offset() + seen - from);
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
      readHeader(window.bytes(), window.position(), to);
    }
    window.moveTo(end < 0 ? window.limit() : end + 1);
    leaveRow();
    return true;
  }

  // What the format knows

  /** Whether it is known which value goes where; otherwise the next row is a header. */
  abstract boolean hasColumns();

  /** Takes a row for the names of the columns. */
  abstract void readHeader(byte[] text, int from, int to);

  /** What rows are written with, once there are columns. */
  abstract RowWriter writer();

  /** The block that rows go to from now on. */
  abstract void use(Block block);

  /**
   * Decodes the row at {@code from}, if that is easy. A newline comes before the end of {@code text}, which the row may not
   * hold.
   *
   * @return index behind its newline, or -1 where the row needs a closer look
   */
  abstract int decodePlain(byte[] text, int from, int row);

  /**
   * Decodes one row, without its line end.
   *
   * @return why it is rejected, or null
   */
  abstract @Nullable Reason decodeRow(byte[] text, int from, int to, int row);

  /** What the last row was rejected for. */
  abstract String detail();

  /** Index of the newline that ends the row at the window's position, or -1 where it is not before {@link #seenEnd}. */
  abstract int rowEnd();

  // Of formats whose quoted values may span lines:

  /** Whether a part of the row at the window's position has been looked at, which had no end. */
  boolean isInRow() {
    return false;
  }

  /** Whether that part ends in a quoted value that may span lines. */
  boolean isQuoted() {
    return false;
  }

  /** The row has been dealt with. */
  void leaveRow() {}

  /** A quote has swallowed lines: none spans any that began before {@code offset}. */
  void unquote(long offset) {}
}
