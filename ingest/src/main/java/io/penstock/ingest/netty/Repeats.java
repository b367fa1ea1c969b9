package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;

/** Passes over the rows that a producer sends again. */
final class Repeats {
  private long rows;

  // Of the line that has not ended:
  private long bytes;
  private boolean onlyReturn;

  /**
   * @param rows how many the sender repeats before it goes on
   */
  Repeats(long rows) {
    this.rows = rows;
  }

  /** Moves {@code buffer} behind what is repeated; an empty line, which ends the rows, is left for the decoder. */
  void drop(ByteBuf buffer) {
    while (rows > 0 && buffer.isReadable()) {
      int from = buffer.readerIndex();
      int end = buffer.indexOf(from, buffer.writerIndex(), (byte) '\n');
      int to = end < 0 ? buffer.writerIndex() : end;
      if (to > from) {
        onlyReturn = bytes == 0 && to - from == 1 && buffer.getByte(from) == '\r';
        bytes += to - from;
      }
      if (end < 0) {
        buffer.readerIndex(to);
        return;
      }
      if (bytes == 0 || onlyReturn) {
        rows = 0;
        return;
      }
      buffer.readerIndex(end + 1);
      bytes = 0;
      onlyReturn = false;
      rows--;
    }
  }
}
