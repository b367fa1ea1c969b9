package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.penstock.config.SourceConfig.CsvConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns the bytes of one partition into columnar blocks (RFC 4180). Rows that cannot be decoded go to the rejections and leave
 * no trace in a block. What comes out does not depend on how the bytes were cut. Not thread-safe.
 */
@SuppressWarnings("DoNotCallSuggester")
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
    throw new UnsupportedOperationException();
  }

  /**
   * Names the columns where the header itself will not be read, because the partition resumes behind it.
   *
   * @throws SourceException where a field of the schema is not among them
   */
  public void useHeader(List<String> columnNames) {
    throw new UnsupportedOperationException();
  }

  /**
   * Takes bytes from {@code in} and decodes until these are used up or the block is full. To be called again, with the same
   * buffer, as long as it answers anything but {@code STARVED}. The buffer stays the caller's.
   *
   * @param arrivalNanos when the bytes came, nanoseconds since 1970
   * @throws SourceException where the header lacks a field of the schema
   */
  public Progress decode(ByteBuf in, long arrivalNanos) {
    throw new UnsupportedOperationException();
  }

  /** No byte follows: the last row may lack its newline. Then {@link #decode} with an empty buffer until {@code ENDED}. */
  public void finish() {
    throw new UnsupportedOperationException();
  }

  /** The connection broke: as {@link #finish}, but a row without its newline is torn, and rejected. */
  public void finishTorn() {
    throw new UnsupportedOperationException();
  }

  /** Hands over the block, full or not, or one without rows if rows were rejected; null where nothing was decoded since. */
  public @Nullable Block takeBlock() {
    throw new UnsupportedOperationException();
  }

  /** Gives back the block being filled. */
  public void release() {
    throw new UnsupportedOperationException();
  }
}
