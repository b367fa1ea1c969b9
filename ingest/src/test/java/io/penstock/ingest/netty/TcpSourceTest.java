package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.generator.GeneratorCsv;
import io.penstock.ingest.generator.GeneratorSource;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Source.Partition;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;

@Timeout(40)
class TcpSourceTest {
  private static final BlockSchema SCHEMA = GeneratorSource.schema(GeneratorStream.SEA);
  private static final int BLOCK_ROWS = 128;
  private static final int BLOCKS = 8;
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Logger LOG = LoggerFactory.getLogger(TcpSourceTest.class);

  private static LeakWatch leaks;

  private final BlockLayout layout = new BlockLayout(SCHEMA, BLOCK_ROWS);
  private final BlockPool pool = new BlockPool(layout, BLOCKS * layout.byteSize());
  private final List<String> rejected = new ArrayList<>();
  private TcpSource source;

  @BeforeAll
  static void watchForLeaks() {
    leaks = new LeakWatch();
  }

  @AfterAll
  static void shouldHaveReleasedEveryBuffer() {
    leaks.close();
  }

  @BeforeEach
  void listen() {
    source = TcpSource.bind(new Limits().settings(), SCHEMA, context());
  }

  @AfterEach
  void shouldHaveGivenBackEveryBlock() throws InterruptedException {
    source.close();
    awaitNoneHeld("after the test");
    pool.close();
  }

  @Test
  void shouldTakeTheRowsOfSeveralConnectionsWhateverTheirChunks() throws Exception {
    listen(new Limits().endAfter(4));
    List<Thread> senders = new ArrayList<>();
    Map<Integer, List<String>> sent = new ConcurrentHashMap<>();
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    for (int i = 0; i < 4; i++) {
      byte[] lines = lines(5_000, 100 + i);
      Socket socket = connect();
      sent.put(i, rowsOf(lines));
      SplittableRandom random = new SplittableRandom(i);
      senders.add(Thread.ofVirtual().start(() -> sendInChunks(socket, lines, random)));
    }
    items().doOnNext(item -> take(item, taken)).blockLast(PATIENCE);
    for (Thread sender : senders) {
      sender.join();
    }
    assertThat(rejected).isEmpty();
    assertThat(taken).isEqualTo(sent);
  }

  @Test
  void shouldNumberConnectionsInTheOrderOfAcceptance() throws Exception {
    listen(new Limits().endAfter(6));
    for (int i = 0; i < 6; i++) {
      try (Socket socket = connect()) {
        socket.getOutputStream().write(lines(i + 1, i));
      }
    }
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    items().doOnNext(item -> take(item, taken)).blockLast(PATIENCE);
    for (int i = 0; i < 6; i++) {
      assertThat(taken.get(i)).isEqualTo(rowsOf(lines(i + 1, i)));
    }
  }

  @Test
  void shouldKeepWhatArrivedBeforeThePartitionWasSubscribed() throws Exception {
    BlockingQueue<Partition> partitions = subscribe();
    byte[] lines = lines(10, 1);
    try (Socket socket = connect()) {
      socket.getOutputStream().write(lines);
    }
    Partition partition = partitions.take();
    // The loops have turned past the close of the first when these two have come through.
    connect();
    connect();
    partitions.take();
    partitions.take();
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    List<StreamItem> items =
        partition.items().doOnNext(item -> take(item, taken)).collectList().block(PATIENCE);
    assertThat(taken).isEqualTo(Map.of(0, rowsOf(lines)));
    assertThat(items).last().isInstanceOf(EndOfPartition.class);
  }

  @Test
  void shouldBlockTheSenderWhileNothingIsRequestedAndGoOnWhenItIs() throws Exception {
    listen(new Limits().endAfter(1));
    BlockingQueue<Partition> partitions = subscribe();
    byte[] lines = lines(600_000, 5);
    ByteBuffer bytes = ByteBuffer.wrap(lines);
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    Requests requests = new Requests(item -> take(item, taken));
    try (SocketChannel sender = SocketChannel.open(address())) {
      partitions.take().items().subscribe(requests);
      writeUntilBlocked(sender, bytes);
      assertThat(bytes.remaining()).as("bytes that the sender keeps").isPositive();
      assertThat(taken).isEmpty();
      assertThat(pool.held()).isLessThanOrEqualTo(1);
      requests.request(30);
      requests.arrived.acquire(30);
      writeUntilBlocked(sender, bytes);
      assertThat(bytes.remaining()).as("bytes that the sender keeps still").isPositive();
      assertThat(requests.arrived.availablePermits()).as("items beyond the request").isZero();
      requests.request(Long.MAX_VALUE);
      sender.configureBlocking(true);
      while (bytes.hasRemaining()) {
        sender.write(bytes);
      }
    }
    requests.ended.await();
    assertThat(taken).isEqualTo(Map.of(0, rowsOf(lines)));
    assertThat(pool.mostHeld()).isLessThanOrEqualTo(BLOCKS);
  }

  @Test
  void shouldStayWithinThePoolWhileBlocksAreHeldAndGoOnWhenTheyComeBack() throws Exception {
    listen(new Limits().endAfter(3));
    byte[] lines = lines(20_000, 5);
    for (int i = 0; i < 3; i++) {
      Socket socket = connect();
      SplittableRandom random = new SplittableRandom(i);
      Thread.ofVirtual().start(() -> sendInChunks(socket, lines, random));
    }
    BlockingQueue<StreamItem> sent = new LinkedBlockingQueue<>();
    items().subscribe(sent::add);
    SplittableRandom random = new SplittableRandom(77);
    List<Block> held = new ArrayList<>();
    long rows = 0;
    for (int ends = 0; ends < 3; ) {
      if (sent.isEmpty() && !held.isEmpty()) {
        held.remove(random.nextInt(held.size())).release();
      } else if (sent.take() instanceof Block block) {
        rows += block.rows();
        held.add(block);
      } else {
        ends++;
      }
    }
    held.forEach(Block::release);
    assertThat(rows).isEqualTo(60_000);
    assertThat(pool.mostHeld()).isEqualTo(BLOCKS);
  }

  @Test
  void shouldLeakNothingWhenCancelledAtAnyMoment() throws Exception {
    byte[] lines = lines(50_000, 9);
    for (int seed = 0; seed < 60; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      listen(new Limits());
      List<Thread> senders = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Socket socket = connect();
        SplittableRandom chunks = random.split();
        senders.add(Thread.ofVirtual().start(() -> sendInChunks(socket, lines, chunks)));
      }
      CountDownLatch left = new CountDownLatch(random.nextInt(60));
      List<Requests> readers = new CopyOnWriteArrayList<>();
      Disposable run =
          source
              .partitions()
              .subscribe(
                  partition -> {
                    Requests reader =
                        new Requests(
                            item -> {
                              release(item);
                              left.countDown();
                            });
                    readers.add(reader);
                    partition.items().subscribe(reader);
                    reader.request(Long.MAX_VALUE);
                  });
      left.await();
      run.dispose();
      readers.forEach(Requests::cancel);
      awaitNoneHeld("seed " + seed);
      for (Thread sender : senders) {
        sender.join();
      }
      awaitRefusal();
    }
  }

  @Test
  void shouldCloseConnectionsThatNobodyReadWhenCancelled() throws Exception {
    BlockingQueue<Partition> partitions = new LinkedBlockingQueue<>();
    Disposable run = source.partitions().subscribe(partitions::add);
    Socket socket = connect();
    partitions.take();
    run.dispose();
    assertThat(endOf(socket)).isTrue();
  }

  @Test
  void shouldCloseConnectionsBeyondTheLimitAtOnceAndCountThem() throws Exception {
    listen(new Limits().connections(1).endAfter(2));
    BlockingQueue<StreamItem> sent = new LinkedBlockingQueue<>();
    items().doOnNext(TcpSourceTest::release).subscribe(sent::add);
    Socket first = connect();
    first.getOutputStream().write(lines(1, 1));
    assertThat(sent.take()).isInstanceOf(Block.class);
    Socket second = connect();
    assertThat(endOf(second)).isTrue();
    assertThat(source.refusedConnections()).isEqualTo(1);
    first.close();
    assertThat(sent.take()).isInstanceOf(EndOfPartition.class);
    // The source hears of the closing when it does: it may refuse once more before.
    StreamItem item = null;
    while (item == null) {
      Socket third = connect();
      sendInChunks(third, lines(1, 1), new SplittableRandom(1));
      item = sent.poll(1, TimeUnit.SECONDS);
    }
    assertThat(item).isInstanceOf(Block.class);
  }

  @Test
  void shouldCompleteAndStopListeningAfterTheLastConnection() throws Exception {
    listen(new Limits().endAfter(1));
    connect().close();
    List<StreamItem> items = items().collectList().block(PATIENCE);
    assertThat(items).singleElement().isInstanceOf(EndOfPartition.class);
    awaitRefusal();
  }

  @Test
  void shouldCloseIdleConnections() throws Exception {
    listen(new Limits().idle(Duration.ofMillis(30)).endAfter(1));
    Requests requests = new Requests(TcpSourceTest::release);
    items().subscribe(requests);
    requests.request(Long.MAX_VALUE);
    Socket socket = connect();
    assertThat(endOf(socket)).isTrue();
    requests.ended.await();
    assertThat(source.idleConnections()).isEqualTo(1);
  }

  @Test
  void shouldOutliveAConnectionThatIsReset() throws Exception {
    listen(new Limits().endAfter(2));
    BlockingQueue<StreamItem> sent = new LinkedBlockingQueue<>();
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    Requests requests =
        new Requests(
            item -> {
              take(item, taken);
              sent.add(item);
            });
    items().subscribe(requests);
    requests.request(Long.MAX_VALUE);
    byte[] lines = lines(3, 1);
    Socket broken = connect();
    broken.getOutputStream().write(lines);
    assertThat(sent.take()).isInstanceOf(Block.class);
    broken.getOutputStream().write("1.5,2".getBytes(StandardCharsets.US_ASCII));
    broken.setSoLinger(true, 0);
    broken.close();
    assertThat(sent.take()).isInstanceOfAny(Block.class, EndOfPartition.class);
    try (Socket whole = connect()) {
      whole.getOutputStream().write(lines);
    }
    requests.ended.await();
    assertThat(taken).isEqualTo(Map.of(0, rowsOf(lines), 1, rowsOf(lines)));
  }

  @Test
  void shouldEndOnlyThePartitionWhoseHeaderDoesNotFit() throws Exception {
    listen(new Limits().endAfter(2));
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    Requests requests = new Requests(item -> take(item, taken));
    items().subscribe(requests);
    requests.request(Long.MAX_VALUE);
    Socket wrong = connect();
    wrong.getOutputStream().write("a,b,c\n1,2,3\n".getBytes(StandardCharsets.US_ASCII));
    assertThat(endOf(wrong)).isTrue();
    byte[] lines = lines(3, 1);
    try (Socket right = connect()) {
      right.getOutputStream().write(lines);
    }
    requests.ended.await();
    assertThat(requests.failure).isNull();
    assertThat(taken).isEqualTo(Map.of(1, rowsOf(lines)));
  }

  @Test
  void shouldRejectGarbageAndEndlessLinesAndGoOn() throws Exception {
    listen(new Limits().endAfter(1));
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    Requests requests = new Requests(item -> take(item, taken));
    items().subscribe(requests);
    requests.request(Long.MAX_VALUE);
    byte[] lines = lines(3, 1);
    try (Socket socket = connect()) {
      OutputStream out = socket.getOutputStream();
      out.write(lines);
      byte[] garbage = new byte[100_000];
      new Random(1).nextBytes(garbage);
      out.write(garbage);
      byte[] line = new byte[10_000_000];
      Arrays.fill(line, (byte) '1');
      out.write(line);
      out.write("\n1,2,3,1\n".getBytes(StandardCharsets.US_ASCII));
    }
    requests.ended.await();
    List<String> expected = rowsOf(lines);
    assertThat(taken.get(0)).startsWith(expected.toArray(String[]::new));
    assertThat(taken.get(0)).last().isEqualTo("1.0 2.0 3.0 1.0");
    assertThat(rejected).isNotEmpty();
  }

  @Test
  void shouldTakeWhatAFeedSendsBitForBit() throws Exception {
    listen(new Limits().endAfter(1));
    Generator generator = new Generator(GeneratorStream.SEA, 50_000, 7, 0, 0.1, null);
    Map<Integer, List<String>> taken = new ConcurrentHashMap<>();
    CompletableFuture<FeedResult> result = new CompletableFuture<>();
    Feed.to("127.0.0.1", source.port())
        .generator(generator, true)
        .subscribe(result::complete, result::completeExceptionally);
    items().doOnNext(item -> take(item, taken)).blockLast(PATIENCE);
    assertThat(taken).isEqualTo(Map.of(0, rowsOf(lines(50_000, 7))));
    assertThat(result.get().rows()).isEqualTo(50_000);
  }

  @Test
  void shouldNameThePortThatIsInUse() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Tcp settings = new Limits().port(other.getLocalPort()).settings();
      assertThatThrownBy(() -> TcpSource.bind(settings, SCHEMA, context()))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("cannot listen on 127.0.0.1:" + other.getLocalPort())
          .hasMessageContaining("source.tcp.port");
    }
  }

  /** Writes until the kernel takes nothing more for a while. Leaves the channel non-blocking. */
  private static void writeUntilBlocked(SocketChannel sender, ByteBuffer bytes) throws IOException {
    sender.configureBlocking(false);
    try (Selector selector = Selector.open()) {
      sender.register(selector, SelectionKey.OP_WRITE);
      while (bytes.hasRemaining()) {
        if (sender.write(bytes) == 0 && selector.select(300) == 0) {
          return;
        }
        selector.selectedKeys().clear();
      }
    }
  }

  /** In pieces of 1 to 65536 bytes, small ones as likely as large ones; a receiver that closes ends it. */
  private static void sendInChunks(Socket socket, byte[] lines, SplittableRandom random) {
    try (socket) {
      OutputStream out = socket.getOutputStream();
      for (int at = 0; at < lines.length; ) {
        int chunk = Math.min(lines.length - at, random.nextInt(1 << random.nextInt(17)) + 1);
        out.write(lines, at, chunk);
        at += chunk;
      }
    } catch (IOException e) {
      LOG.debug("the receiver closed", e);
    }
  }

  /** Returns when nobody listens any more: the listener closes on its own thread, soon. */
  private void awaitRefusal() throws IOException {
    while (true) {
      try {
        connect().close();
      } catch (ConnectException refused) {
        return;
      } catch (SocketException reset) {
        LOG.debug("the listener closed while connecting", reset);
      }
    }
  }

  /** Whether the peer closes without having sent anything. */
  private static boolean endOf(Socket socket) throws IOException {
    try (socket) {
      return socket.getInputStream().read() < 0;
    } catch (SocketException reset) {
      return true;
    }
  }

  private static byte[] lines(int rows, long seed) {
    GeneratorCsv csv =
        new GeneratorCsv(new Generator(GeneratorStream.SEA, rows, seed, 0, 0.1, null));
    ByteBuf out = Unpooled.buffer(rows * 40 + 1000);
    csv.writeHeader(out);
    csv.writeRows(out, rows);
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }

  private static List<String> rowsOf(byte[] lines) {
    return new String(lines, StandardCharsets.US_ASCII)
        .lines()
        .skip(1)
        .map(
            line ->
                Arrays.stream(line.split(",", -1))
                    .map(value -> Float.toString(Float.parseFloat(value)))
                    .collect(Collectors.joining(" ")))
        .toList();
  }

  private void take(StreamItem item, Map<Integer, List<String>> taken) {
    if (item instanceof Block block) {
      List<String> rows =
          taken.computeIfAbsent(block.cursor().partition(), partition -> new ArrayList<>());
      for (int r = 0; r < block.rows(); r++) {
        StringBuilder row = new StringBuilder();
        for (int c = 0; c < SCHEMA.columns().size(); c++) {
          row.append(block.memory().get(FLOAT, layout.columnOffset(c) + 4L * r)).append(' ');
        }
        rows.add(row.append(block.memory().get(FLOAT, layout.labelOffset() + 4L * r)).toString());
      }
      block.release();
    }
  }

  private static void release(StreamItem item) {
    if (item instanceof Block block) {
      block.release();
    }
  }

  private void awaitNoneHeld(String when) throws InterruptedException {
    for (int i = 0; pool.held() > 0 && i < 10_000; i++) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(pool.held()).as(when).isZero();
  }

  private BlockingQueue<Partition> subscribe() {
    BlockingQueue<Partition> partitions = new LinkedBlockingQueue<>();
    source.partitions().subscribe(partitions::add);
    return partitions;
  }

  private Flux<StreamItem> items() {
    return source.partitions().flatMap(Partition::items, 16, 1);
  }

  private Socket connect() throws IOException {
    return connect(source.port());
  }

  private static Socket connect(int port) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  private InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), source.port());
  }

  private void listen(Limits limits) {
    source.close();
    source = TcpSource.bind(limits.settings(), SCHEMA, context());
  }

  private SourceContext context() {
    return new SourceContext(
        0,
        0,
        pool,
        new Rejections() {
          @Override
          public synchronized void reject(
              PartitionCursor cursor,
              long row,
              Reason reason,
              String detail,
              byte[] raw,
              int from,
              int to) {
            rejected.add(reason + " " + detail);
          }

          @Override
          public synchronized long count() {
            return rejected.size();
          }
        },
        new SystemEpochNanoClock(),
        new StageMeter("ingest"),
        Map.of());
  }

  /** Settings that tests change, each call a copy. */
  private record Limits(int port, int connections, Duration idle, int endAfter) {
    private Limits() {
      this(0, 16, Duration.ZERO, 0);
    }

    private Limits port(int port) {
      return new Limits(port, connections, idle, endAfter);
    }

    private Limits connections(int connections) {
      return new Limits(port, connections, idle, endAfter);
    }

    private Limits idle(Duration idle) {
      return new Limits(port, connections, idle, endAfter);
    }

    private Limits endAfter(int endAfter) {
      return new Limits(port, connections, idle, endAfter);
    }

    private Tcp settings() {
      FormatConfig csv = new FormatConfig.Csv(true, ",", List.of(), List.of());
      return new Tcp(port, "127.0.0.1", false, csv, 65536, connections, idle, endAfter, null, null);
    }
  }

  /** Requests when told, and hands items on. */
  private static final class Requests extends BaseSubscriber<StreamItem> {
    private final Consumer<StreamItem> taker;
    private final Semaphore arrived = new Semaphore(0);
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;

    private Requests(Consumer<StreamItem> taker) {
      this.taker = taker;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      // Nothing yet.
    }

    @Override
    protected void hookOnNext(StreamItem item) {
      taker.accept(item);
      arrived.release();
    }

    @Override
    protected void hookOnError(Throwable error) {
      failure = error;
    }

    @Override
    protected void hookFinally(SignalType type) {
      ended.countDown();
    }
  }
}
