package io.penstock.ingest.file;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.penstock.config.SourceConfig;
import io.penstock.config.SourceConfig.CsvConfig;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.CsvDecoder;
import io.penstock.ingest.codec.CsvHeader;
import io.penstock.ingest.codec.DecodedFlux;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SynchronousSink;

/** A CSV file, read once from where its partition stands: at its beginning, or behind a checkpoint's last row. */
public final class FileSource implements Source {
  private static final Logger LOG = LoggerFactory.getLogger(FileSource.class);
  private static final int BUFFER_BYTES = 256 << 10;
  private static final int PARTITION = 0;
  private static final String CLASSES_FROM = "classesFrom";

  private final SourceConfig.File config;
  private final BlockSchema schema;
  private final SourceContext context;
  private final Path path;
  private final ClassNumbering numbering;

  /**
   * A source that reads nothing before it is subscribed to.
   *
   * @param schema of the blocks, the same as their pool's
   * @throws SourceException where the file's format is not built yet
   */
  public FileSource(SourceConfig.File config, BlockSchema schema, SourceContext context) {
    this.config = config;
    this.schema = schema;
    this.context = context;
    path = pathOf(config);
    State saved = context.saved();
    numbering =
        saved == null
            ? new ClassNumbering()
            : new ClassNumbering((int) saved.longs(CLASSES_FROM)[0]);
  }

  /**
   * The names of the file's columns, where its format says that the first line has them.
   *
   * @throws SourceException where the file cannot be read or has no such line
   */
  public static List<String> header(SourceConfig.File config) {
    Path path = pathOf(config);
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      return CsvHeader.read(in, config.maxLineBytes(), config.format().csv().delimiter().charAt(0));
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
    state.put(CLASSES_FROM, (long) numbering.origin());
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
    CsvConfig csv = config.format().csv();
    CsvDecoder decoder =
        new CsvDecoder(csv, schema, numbering, cursor, context, config.maxLineBytes());
    if (csv.header() && cursor.nextOffset() > 0) {
      decoder.useHeader(header(config));
    }
    return DecodedFlux.decode(bytes(cursor.nextOffset()), decoder, context, fileThread());
  }

  private Flux<ByteBuf> bytes(long offset) {
    return Flux.generate(() -> new Reading(open(offset), offset), this::read, this::close);
  }

  private record Reading(FileChannel channel, long position) {}

  private FileChannel open(long offset) {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      long size = channel.size();
      if (offset > size) {
        channel.close();
        throw new SourceException(
            "%s: to be read on from byte %d, but it has %d; put the file back, or start with --fresh"
                .formatted(path, offset, size));
      }
      return channel;
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private Reading read(Reading reading, SynchronousSink<ByteBuf> sink) {
    ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(BUFFER_BYTES, BUFFER_BYTES);
    int length;
    try {
      length = buffer.writeBytes(reading.channel, reading.position, BUFFER_BYTES);
    } catch (IOException e) {
      buffer.release();
      sink.error(unreadable(path, e));
      return reading;
    }
    if (length <= 0) {
      buffer.release();
      sink.complete();
      return reading;
    }
    sink.next(buffer);
    return new Reading(reading.channel, reading.position + length);
  }

  private void close(Reading reading) {
    try {
      reading.channel.close();
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

  private static Path pathOf(SourceConfig.File config) {
    String name = config.path().toLowerCase(Locale.ROOT);
    if (name.endsWith(".gz") || name.endsWith(".zst")) {
      throw new SourceException(
          "source.file.path: compressed files are not built yet; unpack '%s' first"
              .formatted(config.path()));
    }
    return Path.of(config.path());
  }

  private static SourceException unreadable(Path path, IOException cause) {
    return new SourceException(
        "source.file.path: cannot read '%s' (%s); name a CSV file that this user may read"
            .formatted(path, reason(cause)),
        cause);
  }

  /** In words: the JDK's own file exceptions say no more than the path again. */
  private static String reason(IOException cause) {
    return switch (cause) {
      case NoSuchFileException _ -> "there is no such file";
      case AccessDeniedException _ -> "permission denied";
      default -> cause.getMessage() == null ? cause.toString() : cause.getMessage();
    };
  }
}
