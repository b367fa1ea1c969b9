package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.penstock.ingest.generator.GeneratorCsv;

/** A synthetic stream as lines. */
final class GeneratorBody implements FeedBody {
  private static final int PIECE_BYTES = 64 << 10;

  private final GeneratorCsv csv;
  private final boolean header;
  private long lines;

  GeneratorBody(GeneratorCsv csv, boolean header) {
    this.csv = csv;
    this.header = header;
  }

  @Override
  public Object next(ByteBufAllocator allocator, long maxLines) {
    ByteBuf piece = allocator.directBuffer(PIECE_BYTES, PIECE_BYTES);
    long before = lines;
    if (header && lines == 0) {
      csv.writeHeader(piece);
      lines++;
    }
    lines += csv.writeRows(piece, maxLines - (lines - before));
    return piece;
  }

  @Override
  public long lines() {
    return lines;
  }

  @Override
  public boolean ended() {
    return csv.ended();
  }

  @Override
  public int headerLines() {
    return header ? 1 : 0;
  }

  @Override
  public void close() {}
}
