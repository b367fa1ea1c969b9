package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;

/** Lines of a stream: a compressed file, or one that is sent at a rate. A line longer than a piece goes in several. */
final class StreamBody implements FeedBody {
  private static final int PIECE_BYTES = 64 << 10;

  private final InputStream in;
  private final int headerLines;
  private final byte[] buffer = new byte[PIECE_BYTES];
  private int from;
  private int to;
  private long lines;
  private boolean midLine;
  private boolean ended;

  StreamBody(InputStream in, int headerLines) throws IOException {
    this.in = in;
    this.headerLines = headerLines;
    read();
  }

  @Override
  public Object next(ByteBufAllocator allocator, long maxLines) throws IOException {
    int end = from;
    long newlines = 0;
    while (end < to && newlines < maxLines) {
      if (buffer[end++] == '\n') {
        newlines++;
      }
    }
    ByteBuf piece = allocator.directBuffer(end - from).writeBytes(buffer, from, end - from);
    midLine = buffer[end - 1] != '\n';
    lines += newlines;
    from = end;
    if (from == to) {
      readAfter(piece);
    }
    return piece;
  }

  private void readAfter(ByteBuf piece) throws IOException {
    try {
      read();
    } catch (IOException e) {
      piece.release();
      throw e;
    }
    if (ended && midLine) {
      lines++;
    }
  }

  private void read() throws IOException {
    from = 0;
    to = in.readNBytes(buffer, 0, buffer.length);
    ended = to == 0;
  }

  @Override
  public long lines() {
    return lines;
  }

  @Override
  public boolean ended() {
    return ended;
  }

  @Override
  public int headerLines() {
    return headerLines;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
