package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.SourceConfig.AcknowledgeConfig;
import io.penstock.config.SourceConfig.CsvConfig;
import io.penstock.config.SourceConfig.FormatConfig;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.RecordedRejections;
import io.penstock.pipeline.Barrier;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.SignalType;

/** A source that acknowledges, its merge, and a reader that notes which rows it was given: the front half of a run. */
final class Receiver implements AutoCloseable {
  static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false)), new Label("y", 0, List.of()), "", "");
  static final String HEADER = "a,y\n";

  private static final int BLOCK_ROWS = 16;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  final TcpSource source;
  final RecordedRejections rejections = new RecordedRejections();
  final AtomicInteger checkpointsWanted = new AtomicInteger();

  private final BlockLayout layout = new BlockLayout(SCHEMA, BLOCK_ROWS);
  private final BlockPool pool = new BlockPool(layout, 8 * layout.byteSize());
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Merge merge;
  private final Reader reader;
  private final Map<Integer, List<Long>> rows = new TreeMap<>();
  private final Map<Integer, List<Float>> values = new TreeMap<>();

  /** As configured, for a fresh run that keeps checkpoints. */
  Receiver(AcknowledgeConfig acknowledge) {
    this(acknowledge, true, null, true);
  }

  Receiver(
      AcknowledgeConfig acknowledge, boolean checkpoints, @Nullable State saved, boolean readsOn) {
    this(settings(acknowledge), checkpoints, saved, readsOn);
  }

  Receiver(Tcp settings, boolean checkpoints, @Nullable State saved, boolean readsOn) {
    SourceContext context =
        new SourceContext(
            0,
            0,
            pool,
            rejections,
            new SystemEpochNanoClock(),
            new StageMeter("ingest"),
            saved == null
                ? Map.of()
                : Merge.cursors(saved, 0).stream()
                    .collect(Collectors.toMap(PartitionCursor::partition, Function.identity())),
            saved == null ? null : Merge.scope(saved, 0),
            checkpoints ? checkpointsWanted::incrementAndGet : SourceContext.NO_CHECKPOINTS);
    source = TcpSource.bind(settings, SCHEMA, context);
    merge = new Merge(List.of(source), List.of(1), 0, thread);
    reader = new Reader(readsOn);
    merge.items().subscribe(reader);
  }

  static AcknowledgeConfig limits() {
    return new AcknowledgeConfig(8, 0, 0);
  }

  static Tcp settings(AcknowledgeConfig acknowledge) {
    return settings(acknowledge, Duration.ZERO);
  }

  static Tcp settings(AcknowledgeConfig acknowledge, Duration idleTimeout) {
    FormatConfig csv = new FormatConfig(new CsvConfig(true, ",", List.of(), List.of()));
    return new Tcp(0, "127.0.0.1", false, csv, 65536, 16, idleTimeout, 0, null, acknowledge);
  }

  /** Rows {@code from} (inclusive) to {@code to}; the value is the number. */
  static String rows(int from, int to) {
    StringBuilder text = new StringBuilder();
    for (int row = from; row < to; row++) {
      text.append(row).append(",0\n");
    }
    return text.toString();
  }

  LineSocket connect() throws Exception {
    return new LineSocket(source.port());
  }

  /** A connection behind its handshake: what was said to it is {@code welcome}. */
  LineSocket introduce(String producer, String welcome) throws Exception {
    LineSocket socket = connect();
    socket.send("penstock/1 producer=" + producer + "\n" + HEADER);
    assertThat(socket.line()).isEqualTo(welcome);
    return socket;
  }

  State cut() {
    return merge.cut().orTimeout(20, TimeUnit.SECONDS).join();
  }

  /** A cut once one is asked for anew, which without a window says that a producer's end has been noted. */
  State wantedCut() {
    int before = checkpointsWanted.get();
    await(() -> checkpointsWanted.get() > before);
    return cut();
  }

  /** A cut that passes when an item more is requested. */
  CompletableFuture<State> cutBehindWhatHasArrived() {
    return merge.cut();
  }

  void durable(State cut) {
    merge.durable(cut);
  }

  void request(long items) {
    reader.request(items);
  }

  /** Numbers of the rows that came, by partition. */
  Map<Integer, List<Long>> rowNumbers() {
    synchronized (rows) {
      Map<Integer, List<Long>> copy = new TreeMap<>();
      rows.forEach((partition, numbers) -> copy.put(partition, List.copyOf(numbers)));
      return copy;
    }
  }

  /** First values of the rows that came of one partition. */
  List<Float> values(int partition) {
    synchronized (rows) {
      return List.copyOf(values.getOrDefault(partition, List.of()));
    }
  }

  void awaitRows(int partition, int count) {
    await(() -> values(partition).size() >= count);
  }

  static void await(BooleanSupplier condition) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(until);
      LockSupport.parkNanos(100_000);
    }
  }

  void awaitEnd() throws InterruptedException {
    assertThat(reader.ended.await(20, TimeUnit.SECONDS)).as("the stream has ended").isTrue();
  }

  boolean hasEnded() {
    return reader.ended.getCount() == 0;
  }

  @Override
  public void close() {
    reader.cancel();
    await(() -> pool.held() == 0);
    thread.shutdown();
    pool.close();
  }

  private void take(StreamItem item) {
    if (item instanceof Barrier barrier) {
      barrier.complete();
    }
    if (!(item instanceof Block block)) {
      return;
    }
    synchronized (rows) {
      int partition = block.cursor().partition();
      for (int row = 0; row < block.rows(); row++) {
        rows.computeIfAbsent(partition, p -> new ArrayList<>())
            .add(block.memory().get(LONG, layout.rowOffset() + 8L * row));
        values
            .computeIfAbsent(partition, p -> new ArrayList<>())
            .add(block.memory().get(FLOAT, layout.columnOffset(0) + 4L * row));
      }
    }
    block.release();
  }

  private final class Reader extends BaseSubscriber<StreamItem> {
    private final boolean readsOn;
    private final CountDownLatch ended = new CountDownLatch(1);

    Reader(boolean readsOn) {
      this.readsOn = readsOn;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      if (readsOn) {
        requestUnbounded();
      }
    }

    @Override
    protected void hookOnNext(StreamItem item) {
      take(item);
    }

    @Override
    protected void hookFinally(SignalType type) {
      ended.countDown();
    }
  }
}
