package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * The part of a partition that is being decoded, on the heap: bytes not decoded yet, and as many behind them as there is room
 * for. It grows for a row that does not fit, up to the longest that is taken.
 */
final class ByteWindow {
  private static final int INITIAL_BYTES = 32 << 10;

  private final int maxCapacity;
  private byte[] bytes = new byte[INITIAL_BYTES + PlainRow.LOOK_AHEAD_BYTES];
  private long offset;
  private int position;
  private int limit;
  private int linesEnd;

  /**
   * A window that begins to fill at {@code offset} of the partition.
   *
   * @param maxRowBytes the most that has to be seen of one row
   */
  ByteWindow(long offset, int maxRowBytes) {
    this.offset = offset;
    maxCapacity = Math.max(maxRowBytes, INITIAL_BYTES);
  }

  /** The bytes themselves, between {@link #position} and {@link #limit}. Another array after {@link #fill}. */
  byte[] bytes() {
    return bytes;
  }

  /** The first byte that is not decoded. */
  int position() {
    return position;
  }

  /** Behind the last byte that has come. */
  int limit() {
    return limit;
  }

  /** Behind the last newline that has come. */
  int linesEnd() {
    return linesEnd;
  }

  /** Bytes that are not decoded. */
  int length() {
    return limit - position;
  }

  /** Where {@link #position} lies in the partition. */
  long offset() {
    return offset + position;
  }

  void moveTo(int position) {
    this.position = position;
  }

  /** The first newline from {@code from} on, or {@code bound}. */
  int newline(int from, int bound) {
    int p = from;
    while (p < bound && bytes[p] != '\n') {
      p++;
    }
    return p;
  }

  /** Takes as many bytes as there is room for. What is not decoded must be less than the longest row. */
  void fill(ByteBuf in) {
    int capacity = bytes.length - PlainRow.LOOK_AHEAD_BYTES;
    if (position == limit || limit == capacity) {
      moveToFront();
    }
    if (limit == capacity) {
      capacity = (int) Math.min(2L * capacity, maxCapacity);
      bytes = Arrays.copyOf(bytes, capacity + PlainRow.LOOK_AHEAD_BYTES);
    }
    int from = limit;
    int length = Math.min(in.readableBytes(), capacity - limit);
    in.readBytes(bytes, from, length);
    limit += length;
    for (int p = limit - 1; p >= from; p--) {
      if (bytes[p] == '\n') {
        linesEnd = p + 1;
        break;
      }
    }
  }

  private void moveToFront() {
    System.arraycopy(bytes, position, bytes, 0, limit - position);
    offset += position;
    limit -= position;
    linesEnd = Math.max(0, linesEnd - position);
    position = 0;
  }
}
