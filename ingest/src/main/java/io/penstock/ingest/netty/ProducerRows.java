package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.ingest.generator.GeneratorCsv;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/** Numbered rows, each a line, that can be read again from the first. */
sealed interface ProducerRows extends Closeable {

  /** The line with the names of the columns. */
  void writeHeader(OutputStream out) throws IOException;

  /** Passes over rows; answers how many there were. */
  long skip(long rows) throws IOException;

  /** Writes the next rows, at most {@code most}; answers how many, 0 at the end. */
  int write(OutputStream out, int most) throws IOException;

  /** The lines of a file behind its header, but for the empty ones, which would mean the end. */
  final class OfFile implements ProducerRows {
    private static final byte[] NEWLINE = {'\n'};

    private final InputStream in;
    private final boolean hasHeader;
    private byte[] buffer = new byte[64 << 10];
    private int from;
    private int to;
    private int limit;

    private OfFile(InputStream in, boolean hasHeader) {
      this.in = in;
      this.hasHeader = hasHeader;
    }

    /** The rows of a file; one whose name ends in {@code .gz} is decompressed. Its first line is the header, if it {@link Feed#hasHeader has one}. */
    static OfFile open(Path path) throws IOException {
      InputStream in = Files.newInputStream(path);
      try {
        return new OfFile(
            path.toString().endsWith(".gz") ? new GZIPInputStream(in) : in, Feed.hasHeader(path));
      } catch (IOException e) {
        in.close();
        throw e;
      }
    }

    @Override
    public void writeHeader(OutputStream out) throws IOException {
      if (hasHeader && next()) {
        writeLine(out);
      }
    }

    @Override
    public long skip(long rows) throws IOException {
      long skipped = 0;
      while (skipped < rows && next()) {
        skipped++;
      }
      return skipped;
    }

    @Override
    public int write(OutputStream out, int most) throws IOException {
      int rows = 0;
      while (rows < most && next()) {
        writeLine(out);
        rows++;
      }
      return rows;
    }

    private void writeLine(OutputStream out) throws IOException {
      out.write(buffer, from, to - from);
      if (buffer[to - 1] != '\n') {
        out.write(NEWLINE);
      }
    }

    /** Goes to the next line that is not empty: it lies between {@code from} and {@code to}. */
    private boolean next() throws IOException {
      do {
        from = to;
        while (to == from || buffer[to - 1] != '\n') {
          if (to == limit && !fill()) {
            break;
          }
          to++;
        }
      } while (isEmptyLine());
      return to > from;
    }

    private boolean isEmptyLine() {
      int length = to - from;
      return length > 0
          && buffer[to - 1] == '\n'
          && (length == 1 || (length == 2 && buffer[from] == '\r'));
    }

    private boolean fill() throws IOException {
      if (from > 0) {
        System.arraycopy(buffer, from, buffer, 0, limit - from);
        to -= from;
        limit -= from;
        from = 0;
      } else if (limit == buffer.length) {
        buffer = Arrays.copyOf(buffer, 2 * buffer.length);
      }
      int length = in.read(buffer, limit, buffer.length - limit);
      limit += Math.max(0, length);
      return length > 0;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** A synthetic stream. */
  final class OfGenerator implements ProducerRows {
    private final GeneratorCsv csv;
    private final ByteBuf piece = Unpooled.buffer(64 << 10, 64 << 10);

    OfGenerator(Generator generator) {
      csv = new GeneratorCsv(generator);
    }

    @Override
    public void writeHeader(OutputStream out) throws IOException {
      piece.clear();
      csv.writeHeader(piece);
      piece.readBytes(out, piece.readableBytes());
    }

    @Override
    public long skip(long rows) {
      return csv.skip(rows);
    }

    @Override
    public int write(OutputStream out, int most) throws IOException {
      piece.clear();
      int rows = (int) csv.writeRows(piece, most);
      piece.readBytes(out, piece.readableBytes());
      return rows;
    }

    @Override
    public void close() {}
  }
}
