package io.penstock.ingest.file;

import io.airlift.compress.v3.MalformedInputException;
import io.airlift.compress.v3.zstd.ZstdInputStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.CsvHeader;
import io.penstock.ingest.codec.DecodedFlux;
import io.penstock.ingest.codec.JsonNames;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SynchronousSink;

/**
 * A file of CSV or JSON, plain or compressed ({@code .gz}, {@code .zst}), read from where its partition stands: at its beginning, or
 * behind a checkpoint's last row. Offsets count decompressed bytes, so that a compressed file is read, but not decoded, up to
 * there. Rows and offsets go on counting over several passes.
 */
public final class FileSource implements Source {
  private static final Logger LOG = LoggerFactory.getLogger(FileSource.class);
  private static final int BUFFER_BYTES = 256 << 10;
  private static final int PARTITION = 0;
  private static final String GZIP = ".gz";
  private static final String PASS_BYTES = "passBytes";
  private static final long UNKNOWN = -1;

  private final SourceConfig.File config;
  private final BlockSchema schema;
  private final SourceContext context;
  private final Path path;
  private final ClassNumbering numbering;
  private volatile long passBytes; // decompressed

  /**
   * A source that reads nothing before it is subscribed to.
   *
   * @param schema of the blocks, the same as their pool's
   */
  public FileSource(SourceConfig.File config, BlockSchema schema, SourceContext context) {
    this.config = config;
    this.schema = schema;
    this.context = context;
    path = Path.of(config.path());
    State saved = context.saved();
    numbering = ClassNumbering.restored(saved);
    passBytes = saved != null && saved.has(PASS_BYTES) ? saved.longs(PASS_BYTES)[0] : UNKNOWN;
  }

  /**
   * The names of the file's columns, as its first line has them: the header, or the paths of a JSON object's values. Empty where
   * the format has neither.
   *
   * @throws SourceException where the file cannot be read or has no such line
   */
  public static List<String> columnNames(SourceConfig.File config) {
    if (config.format() instanceof FormatConfig.Csv csv && !csv.header()) {
      return csv.columns();
    }
    Path path = Path.of(config.path());
    try (InputStream in = new BufferedInputStream(open(path))) {
      return switch (config.format()) {
        case FormatConfig.Csv csv ->
            CsvHeader.read(in, config.maxLineBytes(), csv.delimiter().charAt(0));
        case FormatConfig.Json _ -> JsonNames.read(in, config.maxLineBytes());
      };
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  @Override
  public String name() {
    return "file";
  }

  @Override
  public boolean replays() {
    return true;
  }

  /** May be ahead of the positions: the rows in between will be read again, and say the same. */
  @Override
  public void save(State state) {
    numbering.save(state);
    if (passBytes != UNKNOWN) {
      state.put(PASS_BYTES, passBytes);
    }
  }

  @Override
  public Flux<Partition> partitions() {
    return Flux.defer(
        () -> {
          PartitionCursor cursor = context.cursor(PARTITION);
          return Flux.just(new Partition(cursor, Flux.defer(() -> items(cursor))));
        });
  }

  private Flux<StreamItem> items(PartitionCursor cursor) {
    Passes passes = new Passes(cursor, fileThread());
    Iterable<Publisher<StreamItem>> once = () -> passes;
    return Flux.concat(once);
  }

  /** Bytes of the file, decompressed: counted where that has not been done. */
  private long passBytes() {
    if (passBytes == UNKNOWN) {
      try (InputStream in = open(path)) {
        passBytes = in.transferTo(OutputStream.nullOutputStream());
      } catch (IOException e) {
        throw unreadable(path, e);
      }
    }
    return passBytes;
  }

  /** The passes that are left, the first one from where the partition stands; each begins where the one before it ended. */
  private final class Passes implements Iterator<Publisher<StreamItem>> {
    private final PartitionCursor cursor;
    private final Executor thread;
    private final long skipped; // bytes of the first one
    private int pass;
    private long begin; // of the pass, over all of them
    private @Nullable RowDecoder before;

    Passes(PartitionCursor cursor, Executor thread) {
      this.cursor = cursor;
      this.thread = thread;
      long offset = cursor.nextOffset();
      boolean several = offset > 0 && (config.passes() > 1 || passBytes != UNKNOWN);
      if (several && passBytes() == 0) {
        throw tooShort(offset);
      }
      pass = several ? (int) Math.min(offset / passBytes(), config.passes()) : 0;
      begin = several ? pass * passBytes() : 0;
      skipped = offset - begin;
    }

    @Override
    public boolean hasNext() {
      return pass < config.passes() || before == null;
    }

    @Override
    public Publisher<StreamItem> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return Flux.defer(this::items);
    }

    private Flux<StreamItem> items() {
      long from = before == null ? skipped : 0;
      long row = before == null ? cursor.nextRow() : before.nextRow();
      if (before != null) {
        checkLength(before.nextOffset() - begin);
        begin = before.nextOffset();
      }
      pass++;
      FormatConfig format = config.format();
      RowDecoder decoder =
          RowDecoder.of(format, schema, numbering, cursor, context, config.maxLineBytes());
      decoder.beginAt(row, begin + from, from == 0, pass >= config.passes());
      if (format.header() && from > 0) {
        decoder.useHeader(columnNames(config));
      }
      before = decoder;
      Flux<ByteBuf> bytes = pass > config.passes() ? Flux.empty() : bytes(from);
      return DecodedFlux.decode(bytes, decoder, context, thread);
    }

    private void checkLength(long bytes) {
      if (passBytes != UNKNOWN && passBytes != bytes) {
        throw new SourceException(
            "%s: was %d bytes long in one pass and %d in another; put the file back as it was, or start with --fresh"
                .formatted(path, passBytes, bytes));
      }
      passBytes = bytes;
    }
  }

  private Flux<ByteBuf> bytes(long offset) {
    return Flux.generate(() -> open(offset), this::read, this::close);
  }

  /** A file being read. */
  private sealed interface Reading extends Closeable {
    /** As {@link ByteBuf#writeBytes(InputStream, int)}. */
    int into(ByteBuf buffer) throws IOException;

    /** Its bytes as they are, which need no detour over the heap. */
    record Plain(FileChannel channel) implements Reading {
      @Override
      public int into(ByteBuf buffer) throws IOException {
        return buffer.writeBytes(channel, BUFFER_BYTES);
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    }

    /** Its bytes decompressed. */
    record Compressed(InputStream in) implements Reading {
      @Override
      public int into(ByteBuf buffer) throws IOException {
        return buffer.writeBytes(in, BUFFER_BYTES);
      }

      @Override
      public void close() throws IOException {
        in.close();
      }
    }
  }

  private Reading open(long offset) {
    try {
      return isCompressed(path) ? compressed(offset) : plain(offset);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private Reading plain(long offset) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    if (channel.size() < offset) {
      channel.close();
      throw tooShort(offset);
    }
    channel.position(offset);
    return new Reading.Plain(channel);
  }

  private Reading compressed(long offset) throws IOException {
    InputStream in = open(path);
    try {
      in.skipNBytes(offset);
      return new Reading.Compressed(in);
    } catch (EOFException e) {
      in.close();
      throw tooShort(offset);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private SourceException tooShort(long offset) {
    return new SourceException(
        "%s: to be read on from byte %d, but it has fewer; put the file back, or start with --fresh"
            .formatted(path, offset));
  }

  /** The bytes that a file holds, decompressed where its name says that they are not plain. */
  public static InputStream open(Path path) throws IOException {
    InputStream in = Files.newInputStream(path);
    if (!isCompressed(path)) {
      return in;
    }
    try {
      return path.toString().toLowerCase(Locale.ROOT).endsWith(GZIP)
          ? new GZIPInputStream(in, BUFFER_BYTES)
          : new ZstdFile(new ZstdInputStream(new BufferedInputStream(in, BUFFER_BYTES)));
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** Says of damaged bytes what streams say: the library's exception is none of theirs. All reading and skipping comes by here. */
  private static final class ZstdFile extends InputStream {
    private final ZstdInputStream in;

    ZstdFile(ZstdInputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      try {
        return in.read();
      } catch (MalformedInputException e) {
        throw new IOException(e.getMessage(), e);
      }
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
      try {
        return in.read(to, from, length);
      } catch (MalformedInputException e) {
        throw new IOException(e.getMessage(), e);
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  private Reading read(Reading reading, SynchronousSink<ByteBuf> sink) {
    ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(BUFFER_BYTES, BUFFER_BYTES);
    int length;
    try {
      length = reading.into(buffer);
    } catch (IOException e) {
      buffer.release();
      sink.error(unreadable(path, e));
      return reading;
    }
    if (length <= 0) {
      buffer.release();
      sink.complete();
    } else {
      sink.next(buffer);
    }
    return reading;
  }

  private void close(Reading reading) {
    try {
      reading.close();
    } catch (IOException e) {
      LOG.warn("{}: could not be closed", path, e);
    }
  }

  /** One thread, made for the first task and gone when there has been none for a second. */
  private static Executor fileThread() {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "penstock-file");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  private static SourceException unreadable(Path path, Exception cause) {
    return new SourceException(
        "source.file.path: cannot read '%s' (%s); name a file that this user may read"
            .formatted(path, reason(path, cause)),
        cause);
  }

  /** In words: the JDK's own file exceptions say no more than the path again. */
  public static String reason(Path path, Exception cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return switch (cause) {
      case NoSuchFileException _ -> "there is no such file";
      case AccessDeniedException _ -> "permission denied";
      default ->
          isCompressed(path) ? "its compressed bytes are damaged or cut off: " + message : message;
    };
  }

  private static boolean isCompressed(Path path) {
    String name = path.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(GZIP) || name.endsWith(".zst");
  }
}
