package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

@Timeout(60)
class GeneratorSourceTest {
  private static final int BLOCK_ROWS = 64;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Pools, each with the blocks that a test still holds. */
  private final Map<BlockPool, LinkedBlockingQueue<Block>> pools = new LinkedHashMap<>();

  @AfterEach
  void shouldHaveGivenBackEveryBlock() throws InterruptedException {
    for (Map.Entry<BlockPool, LinkedBlockingQueue<Block>> entry : pools.entrySet()) {
      awaitNoneHeld(entry.getKey(), entry.getValue());
      entry.getKey().close();
    }
  }

  @Test
  void shouldSendFullBlocksThenTheRestThenTheEnd() {
    List<StreamItem> items = new ArrayList<>();
    List<Integer> rows = new ArrayList<>();
    StepVerifier.create(items(Settings.sea(150, 0, 0, null), 4, 0))
        .thenConsumeWhile(
            item -> true,
            item -> {
              if (item instanceof Block block) {
                rows.add(block.rows());
                assertThat(block.nextRow()).isEqualTo(Math.min(150, 64L * rows.size()));
                block.release();
              }
              items.add(item);
            })
        .expectComplete()
        .verify(Duration.ofSeconds(20));
    assertThat(rows).containsExactly(64, 64, 22);
    assertThat(items.getLast()).isInstanceOf(EndOfPartition.class);
  }

  @Test
  void shouldSendNothingThatWasNotRequested() {
    BlockPool pool = pool(GeneratorStream.SEA, 8);
    StepVerifier.create(items(Settings.sea(128, 0, 0, null), pool, 0), 0)
        .expectSubscription()
        .thenRequest(1)
        .consumeNextWith(item -> ((Block) item).release())
        .then(() -> assertThat(pool.mostHeld()).isEqualTo(1))
        .thenRequest(1)
        .consumeNextWith(item -> ((Block) item).release())
        .thenRequest(1)
        .expectNextMatches(EndOfPartition.class::isInstance)
        .expectComplete()
        .verify(Duration.ofSeconds(20));
    assertThat(pool.mostHeld()).isEqualTo(1);
  }

  @Test
  void shouldWaitForABlockAndGoOnWhenOneIsFree() throws InterruptedException {
    BlockPool pool = pool(GeneratorStream.SEA, 4);
    LinkedBlockingQueue<StreamItem> sent = new LinkedBlockingQueue<>();
    items(Settings.sea(64 * 100, 0, 0, null), pool, 0).subscribe(sent::add);
    long next = 0;
    for (int i = 0; i < 100; i++) {
      Block block = (Block) sent.take();
      assertThat(block.memory().get(LONG, pool.layout().rowOffset())).isEqualTo(next);
      next = block.nextRow();
      block.release();
    }
    assertThat(sent.take()).isInstanceOf(EndOfPartition.class);
    assertThat(pool.mostHeld()).isLessThanOrEqualTo(4);
  }

  @Test
  void shouldFillBlocksOnItsOwnThread() {
    StepVerifier.create(
            items(Settings.sea(64, 0, 0, null), 4, 0)
                .doOnNext(
                    item -> {
                      if (item instanceof Block block) {
                        block.release();
                      }
                    })
                .map(item -> Thread.currentThread().getName()))
        .expectNext("penstock-generator", "penstock-generator")
        .expectComplete()
        .verify(Duration.ofSeconds(20));
  }

  @ParameterizedTest
  @EnumSource(GeneratorStream.class)
  void shouldResumeAnywhereAsIfUninterrupted(GeneratorStream stream) {
    Generator generator = new Generator(stream, 1000, 9, 1, 0.05, null);
    List<String> whole = rows(generator, 0);
    assertThat(whole).hasSize(1000);
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 20; i++) {
      int from = random.nextInt(1001);
      assertThat(rows(generator, from)).as("from %d", from).isEqualTo(whole.subList(from, 1000));
    }
  }

  @ParameterizedTest
  @EnumSource(GeneratorStream.class)
  void shouldRenderCsvThatParsesToTheVeryFloatsOfTheBlocks(GeneratorStream stream) {
    Generator generator = new Generator(stream, 5000, 9, 1, 0.05, null);
    GeneratorCsv csv = new GeneratorCsv(generator);
    ByteBuf out = Unpooled.buffer(1 << 20, 1 << 20);
    csv.writeHeader(out);
    assertThat(csv.writeRows(out, 2000)).isEqualTo(2000);
    assertThat(csv.ended()).isFalse();
    assertThat(csv.writeRows(out, Long.MAX_VALUE)).isEqualTo(3000);
    assertThat(csv.ended()).isTrue();
    List<String> lines = out.toString(StandardCharsets.US_ASCII).lines().toList();
    assertThat(lines.getFirst())
        .isEqualTo(
            stream == GeneratorStream.SEA
                ? "x0,x1,x2,label"
                : "salary,commission,age,elevel,car,zipcode,hvalue,hyears,loan,group");
    List<String> rows = rows(generator, 0);
    for (int i = 0; i < 5000; i++) {
      List<String> bits = new ArrayList<>();
      for (String text : lines.get(i + 1).split(",", -1)) {
        bits.add(Integer.toHexString(Float.floatToRawIntBits(Float.parseFloat(text))));
      }
      assertThat(i + ": " + String.join(" ", bits)).isEqualTo(rows.get(i));
    }
  }

  @Test
  void shouldNeverGrowTheBufferItWritesTo() {
    GeneratorCsv csv = new GeneratorCsv(Settings.agrawal(0, 0, 0, null));
    ByteBuf out = Unpooled.buffer(1000, 1000);
    long rows = csv.writeRows(out, Long.MAX_VALUE);
    assertThat(rows).isBetween(8L, 40L);
    assertThat(out.toString(StandardCharsets.US_ASCII).lines().count()).isEqualTo(rows);
    assertThat(csv.writeRows(out, Long.MAX_VALUE)).isZero();
  }

  @Test
  void shouldLeakNothingWhenCancelledAtAnyMoment() throws InterruptedException {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 200; i++) {
      BlockPool pool = pool(GeneratorStream.SEA, 4);
      int after = random.nextInt(6);
      CountDownLatch cancelled = new CountDownLatch(1);
      LinkedBlockingQueue<Block> held = Objects.requireNonNull(pools.get(pool));
      BaseSubscriber<StreamItem> subscriber =
          new BaseSubscriber<>() {
            private int seen;

            @Override
            protected void hookOnSubscribe(Subscription subscription) {
              request(100);
              if (after == 0) {
                cancel();
                cancelled.countDown();
              }
            }

            @Override
            protected void hookOnNext(StreamItem item) {
              held.add((Block) item);
              if (++seen == Math.min(after, 4)) {
                cancelled.countDown();
              }
            }
          };
      items(Settings.sea(0, 0, 0, null), pool, 0).subscribe(subscriber);
      cancelled.await();
      if (random.nextBoolean()) {
        subscriber.cancel();
        release(held);
      } else {
        release(held);
        subscriber.cancel();
      }
      // A block may still have been on its way: when the test is over, all must come back.
    }
  }

  @Test
  void shouldPassOnTheWakeUpOfABlockItNoLongerWants() throws InterruptedException {
    BlockPool pool = pool(GeneratorStream.SEA, 4);
    LinkedBlockingQueue<StreamItem> sent = new LinkedBlockingQueue<>();
    BaseSubscriber<StreamItem> waiting =
        new BaseSubscriber<>() {
          @Override
          protected void hookOnNext(StreamItem item) {
            sent.add(item);
          }
        };
    items(Settings.sea(0, 0, 0, null), pool, 0).subscribe(waiting);
    List<Block> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add((Block) sent.take());
    }
    waiting.cancel();
    CountDownLatch told = new CountDownLatch(1);
    pool.whenFree(held.getFirst().cursor(), told::countDown);
    held.removeLast().release();
    assertThat(told.await(20, TimeUnit.SECONDS)).as("the one who waits second is told").isTrue();
    held.forEach(Block::release);
  }

  @Test
  void shouldRefuseBlocksOfAnotherSchema() {
    BlockPool pool = pool(GeneratorStream.AGRAWAL, 4);
    assertThatThrownBy(() -> new GeneratorSource(Settings.sea(1, 0, 0, null), context(pool, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the schema of SEA is implied");
  }

  private static void release(LinkedBlockingQueue<Block> held) {
    for (Block block = held.poll(); block != null; block = held.poll()) {
      block.release();
    }
  }

  private static void awaitNoneHeld(BlockPool pool, LinkedBlockingQueue<Block> late)
      throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (pool.held() > 0 && System.nanoTime() < deadline) {
      Block block = late.poll(1, TimeUnit.MILLISECONDS);
      if (block != null) {
        block.release();
      }
    }
    assertThat(pool.held()).isZero();
  }

  /** All rows as text: number, then the bits of every value, label last. */
  private List<String> rows(Generator generator, long from) {
    List<String> rows = new ArrayList<>();
    items(generator, 4, from)
        .doOnNext(
            item -> {
              if (item instanceof Block block) {
                text(block, rows);
                block.release();
              }
            })
        .blockLast(Duration.ofSeconds(20));
    return rows;
  }

  private static void text(Block block, List<String> rows) {
    BlockLayout layout = block.layout();
    for (int r = 0; r < block.rows(); r++) {
      StringBuilder row =
          new StringBuilder()
              .append(block.memory().get(LONG, layout.rowOffset() + 8L * r))
              .append(':');
      for (int c = 0; c < layout.schema().columns().size(); c++) {
        append(row, block.memory().get(FLOAT, layout.columnOffset(c) + 4L * r));
      }
      append(row, block.memory().get(FLOAT, layout.labelOffset() + 4L * r));
      rows.add(row.toString());
    }
  }

  private static void append(StringBuilder row, float value) {
    row.append(' ').append(Integer.toHexString(Float.floatToRawIntBits(value)));
  }

  private Flux<StreamItem> items(Generator generator, int blocks, long from) {
    return items(generator, pool(generator.stream(), blocks), from);
  }

  private static Flux<StreamItem> items(Generator generator, BlockPool pool, long from) {
    return new GeneratorSource(generator, context(pool, from))
        .partitions()
        .flatMap(partition -> partition.items(), 1, 1);
  }

  private BlockPool pool(GeneratorStream stream, int blocks) {
    BlockSchema schema = GeneratorSource.schema(stream);
    BlockLayout layout = new BlockLayout(schema, BLOCK_ROWS);
    BlockPool pool = new BlockPool(layout, blocks * layout.byteSize());
    pools.put(pool, new LinkedBlockingQueue<>());
    return pool;
  }

  private static SourceContext context(BlockPool pool, long from) {
    return new SourceContext(
        0,
        0,
        pool,
        new Rejections() {
          @Override
          public void reject(
              PartitionCursor cursor,
              long row,
              Reason reason,
              String detail,
              byte[] raw,
              int begin,
              int end) {
            throw new AssertionError("a generator rejects nothing");
          }

          @Override
          public long count() {
            return 0;
          }
        },
        new SystemEpochNanoClock(),
        new StageMeter("ingest"),
        from == 0 ? Map.of() : Map.of(0, new PartitionCursor(0, 0, from, from)));
  }
}
