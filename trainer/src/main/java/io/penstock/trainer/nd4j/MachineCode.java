package io.penstock.trainer.nd4j;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The GPUs that a CUDA library has machine code for, as {@code sm} numbers (86: compute capability 8.6), and those it has PTX
 * for, which drivers translate for newer ones. Machine code runs on later GPUs of the same major number.
 */
record MachineCode(SortedSet<Integer> machine, SortedSet<Integer> ptx) {
  /** What nd4j-cuda-11.6 1.0.0-M2.1 for Linux on x86-64 has from first to last, and the first of each major number between. */
  static final MachineCode PUBLISHED =
      new MachineCode(new TreeSet<>(List.of(37, 50, 60, 70, 80, 86)), new TreeSet<>());

  private static final int FATBIN_MAGIC = 0xba55ed50;
  private static final int PTX = 1;
  private static final int ELF = 2;

  /** Bytes of a fat binary's header, and of an entry's as far as they are read here. */
  private static final int HEADER_BYTES = 16;

  private static final int ENTRY_BYTES = 32;
  private static final int BUFFER_BYTES = 1 << 20;

  boolean runsOn(int major, int minor) {
    int number = 10 * major + minor;
    return machine.stream().anyMatch(sm -> sm / 10 == major && sm <= number)
        || ptx.stream().anyMatch(sm -> sm <= number);
  }

  /**
   * Reads the fat binaries within a library: each begins with a magic number, a version, the length of its header and that of
   * all its entries; each entry with its kind, the length of its header and of its code, and, 28 bytes in, the {@code sm} number.
   */
  static MachineCode read(InputStream library) throws IOException {
    SortedSet<Integer> machine = new TreeSet<>();
    SortedSet<Integer> ptx = new TreeSet<>();
    Window window = new Window(library);
    while (window.find(FATBIN_MAGIC)) {
      ByteBuffer header = window.next(HEADER_BYTES);
      long left = header.getLong(8);
      window.skip(header.getShort(6) - HEADER_BYTES);
      while (left >= ENTRY_BYTES) {
        ByteBuffer entry = window.next(ENTRY_BYTES);
        int kind = entry.getShort(0);
        long headerBytes = Integer.toUnsignedLong(entry.getInt(4));
        long bytes = entry.getLong(8);
        if (kind == ELF) {
          machine.add(entry.getInt(28));
        } else if (kind == PTX) {
          ptx.add(entry.getInt(28));
        }
        window.skip(headerBytes + bytes - ENTRY_BYTES);
        left -= headerBytes + bytes;
      }
    }
    return new MachineCode(machine, ptx);
  }

  @Override
  public String toString() {
    return "sm_%d to sm_%d".formatted(machine.first(), machine.last());
  }

  /** A stream read forwards. */
  private static final class Window {
    private final InputStream in;
    private final ByteBuffer buffer =
        ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);

    Window(InputStream in) {
      this.in = in;
    }

    /** Goes to the next place, at a multiple of 8 bytes, where {@code magic} stands. */
    boolean find(int magic) throws IOException {
      while (fill(Long.BYTES)) {
        if (buffer.getInt(buffer.position()) == magic) {
          return true;
        }
        buffer.position(buffer.position() + Long.BYTES);
      }
      return false;
    }

    /** A view of the next {@code bytes}, which are taken. */
    ByteBuffer next(int bytes) throws IOException {
      if (!fill(bytes)) {
        throw new IOException("a fat binary is cut short");
      }
      ByteBuffer view = buffer.slice(buffer.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
      buffer.position(buffer.position() + bytes);
      return view;
    }

    void skip(long bytes) throws IOException {
      int buffered = (int) Math.min(bytes, buffer.remaining());
      buffer.position(buffer.position() + buffered);
      in.skipNBytes(bytes - buffered);
    }

    private boolean fill(int bytes) throws IOException {
      if (buffer.remaining() >= bytes) {
        return true;
      }
      buffer.compact();
      int read =
          in.readNBytes(buffer.array(), buffer.position(), buffer.capacity() - buffer.position());
      buffer.limit(buffer.position() + read).position(0);
      return buffer.remaining() >= bytes;
    }
  }
}
