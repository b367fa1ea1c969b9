package io.penstock.ingest.netty;

import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;

/** What a feed sends, piece by piece. Confined to the feed's event loop. */
interface FeedBody extends AutoCloseable {

  /**
   * The next piece: a {@code ByteBuf} or a {@code FileRegion}, the caller's to release. Not called after the end.
   *
   * @param maxLines the piece ends with or before the line of this number; at least 1
   */
  Object next(ByteBufAllocator allocator, long maxLines) throws IOException;

  /** Lines in all pieces so far; a last one without a newline counts. */
  long lines();

  /** Whether there is no piece left. */
  boolean ended();

  /** Lines at the beginning that are no rows: 0, or 1 for a header. */
  int headerLines();

  @Override
  void close() throws IOException;
}
