package io.penstock.ingest.netty;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultFileRegion;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A plain file at full speed: the kernel moves it from the page cache to the socket (sendfile), and lines are counted where
 * they lie.
 */
final class RegionBody implements FeedBody {
  private static final long PIECE_BYTES = 4 << 20;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final long LOW_BITS = 0x7f7f7f7f7f7f7f7fL;
  private static final long NEWLINES = 0x0a0a0a0a0a0a0a0aL;

  private final File file;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment content;
  private final int headerLines;
  private long position;
  private long lines;

  RegionBody(Path path, int headerLines) throws IOException {
    this.headerLines = headerLines;
    file = path.toFile();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      content = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  @Override
  public Object next(ByteBufAllocator allocator, long maxLines) {
    long bytes = Math.min(PIECE_BYTES, content.byteSize() - position);
    lines += newlines(content.asSlice(position, bytes));
    // By name and not by channel: a region closes its channel when it is released.
    DefaultFileRegion region = new DefaultFileRegion(file, position, bytes);
    position += bytes;
    if (ended() && content.get(ValueLayout.JAVA_BYTE, position - 1) != '\n') {
      lines++;
    }
    return region;
  }

  /** Eight bytes at a time: a byte of {@code diff} is 0 where there is a newline, and only there its mark's high bit is set. */
  static long newlines(MemorySegment bytes) {
    long count = 0;
    long at = 0;
    for (; at + Long.BYTES <= bytes.byteSize(); at += Long.BYTES) {
      long diff = bytes.get(WORD, at) ^ NEWLINES;
      long marks = ~(((diff & LOW_BITS) + LOW_BITS) | diff | LOW_BITS);
      count += Long.bitCount(marks);
    }
    for (; at < bytes.byteSize(); at++) {
      count += bytes.get(ValueLayout.JAVA_BYTE, at) == '\n' ? 1 : 0;
    }
    return count;
  }

  @Override
  public long lines() {
    return lines;
  }

  @Override
  public boolean ended() {
    return position == content.byteSize();
  }

  @Override
  public int headerLines() {
    return headerLines;
  }

  @Override
  public void close() {
    arena.close();
  }
}
