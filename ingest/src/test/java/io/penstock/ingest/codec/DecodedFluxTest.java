package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.penstock.config.FormatConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class DecodedFluxTest {
  private static final int BLOCK_ROWS = 4;
  private static final FormatConfig.Csv CSV = new FormatConfig.Csv(true, ",", List.of(), List.of());
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false)), new Label("y", 0, List.of()), "", "");
  private static final String ROW = "1,2\n";

  private final BlockPool pool = Decoding.pool(SCHEMA, BLOCK_ROWS, 4);
  private final RecordedRejections rejections = new RecordedRejections();
  private final SourceContext context = Decoding.context(pool, rejections);
  private final List<ByteBuf> buffers = new ArrayList<>();

  @AfterEach
  void shouldHaveGivenBackEverything() {
    assertThat(pool.held()).as("blocks held").isZero();
    assertThat(buffers).allSatisfy(buffer -> assertThat(buffer.refCnt()).isZero());
    pool.close();
  }

  @Test
  void shouldSendExactlyAsManyItemsAsAreRequested() {
    StepVerifier.create(items(Flux.just(bytes("a,y\n" + ROW.repeat(9)))), 0)
        .expectSubscription()
        .thenRequest(1)
        .consumeNextWith(item -> assertRows(item, 4))
        .thenRequest(1)
        .consumeNextWith(item -> assertRows(item, 4))
        .thenRequest(1)
        .consumeNextWith(item -> assertRows(item, 1))
        .thenRequest(1)
        .expectNextMatches(item -> item instanceof EndOfPartition)
        .verifyComplete();
  }

  @Test
  void shouldSendAPartialBlockWhenTheReaderRunsDryAndThereIsDemand() {
    TestPublisher<ByteBuf> reader = TestPublisher.create();
    StepVerifier.create(items(reader.flux()), 1)
        .then(() -> reader.next(bytes("a,y\n" + ROW.repeat(3) + "1")))
        .consumeNextWith(item -> assertRows(item, 3))
        .then(() -> reader.next(bytes(",2\n" + ROW)))
        .thenRequest(1)
        .consumeNextWith(item -> assertRows(item, 2))
        .thenRequest(1)
        .then(reader::complete)
        .expectNextMatches(item -> item instanceof EndOfPartition)
        .verifyComplete();
  }

  @Test
  void shouldReadNothingBeforeItIsAskedAndAtMostABlockAheadAfterwards() {
    AtomicInteger reads = new AtomicInteger();
    Flux<ByteBuf> reader =
        Flux.generate(sink -> sink.next(bytes(reads.getAndIncrement() == 0 ? "a,y\n" : ROW)));
    Probe probe = new Probe();
    items(reader).subscribe(probe);
    assertThat(reads).hasValue(0);
    probe.request(1);
    assertThat(probe.items).hasValue(1);
    assertThat(reads).hasValueLessThanOrEqualTo(1 + 2 * BLOCK_ROWS);
    probe.cancel();
  }

  @Test
  void shouldWaitForABlockWhenThePoolHasNoneAndGoOnWhenOneIsFree() {
    List<Block> taken = new ArrayList<>();
    for (int i = 0; i < pool.capacityBlocks(); i++) {
      taken.add(acquire());
    }
    Probe probe = new Probe();
    items(Flux.just(bytes("a,y\n" + ROW.repeat(8)))).subscribe(probe);
    probe.request(10);
    assertThat(probe.items).hasValue(0);
    taken.removeLast().release();
    assertThat(probe.items).as("two blocks and the end").hasValue(3);
    taken.forEach(Block::release);
  }

  @Test
  void shouldPassOnTheBlockThatItNoLongerNeeds() {
    List<Block> taken = new ArrayList<>();
    for (int i = 0; i < pool.capacityBlocks(); i++) {
      taken.add(acquire());
    }
    Probe first = new Probe();
    Probe second = new Probe();
    items(Flux.just(bytes("a,y\n" + ROW))).subscribe(first);
    items(Flux.just(bytes("a,y\n" + ROW))).subscribe(second);
    first.request(10);
    second.request(10);
    first.cancel();
    taken.removeLast().release();
    assertThat(second.items).hasValue(2);
    taken.forEach(Block::release);
  }

  @Test
  void shouldKeepWholeRowsAndEndNormallyWhenAConnectionIsLost() {
    Flux<ByteBuf> reader =
        Flux.just(bytes("a,y\n" + ROW + "3,")).concatWith(Flux.error(new IOException("reset")));
    StepVerifier.create(items(reader))
        .consumeNextWith(item -> assertRows(item, 1))
        .consumeNextWith(item -> assertRows(item, 0)) // moves the position past the torn row
        .expectNextMatches(item -> item instanceof EndOfPartition)
        .verifyComplete();
    assertThat(rejections.rows())
        .extracting(RecordedRejections.Rejected::detail)
        .containsExactly("connection lost in mid-row");
  }

  @Test
  void shouldPassOnASourcesOwnErrorBehindTheRowsReadBeforeIt() {
    Flux<ByteBuf> reader =
        Flux.just(bytes("a,y\n" + ROW + "3,"))
            .concatWith(Flux.error(new SourceException("disk gone")));
    StepVerifier.create(items(reader))
        .consumeNextWith(item -> assertRows(item, 1))
        .verifyErrorMessage("disk gone");
    assertThat(rejections.count()).isZero();
  }

  @Test
  void shouldFailAndStopReadingWhenTheHeaderDoesNotFit() {
    TestPublisher<ByteBuf> reader = TestPublisher.create();
    StepVerifier.create(items(reader.flux()))
        .then(() -> reader.next(bytes("b,y\n1,2\n")))
        .verifyErrorMatches(e -> e instanceof SourceException);
    reader.assertCancelled();
  }

  @Test
  void shouldEndAPartitionWithoutABytePeacefully() {
    StepVerifier.create(items(Flux.empty()))
        .expectNextMatches(item -> item instanceof EndOfPartition)
        .verifyComplete();
  }

  @Test
  void shouldReleaseWhatItHoldsWhenCancelled() {
    TestPublisher<ByteBuf> reader = TestPublisher.create();
    Probe probe = new Probe();
    items(reader.flux()).subscribe(probe);
    probe.request(1);
    reader.next(bytes("a,y\n" + ROW.repeat(5)));
    reader.next(bytes(ROW));
    assertThat(pool.held()).isOne();
    probe.cancel();
    reader.assertCancelled();
  }

  @Test
  void shouldClearUpOnTheCallersThreadWhenTheSourcesHasEnded() {
    ExecutorService ended = Executors.newSingleThreadExecutor();
    ended.shutdown();
    Probe probe = new Probe();
    DecodedFlux.decode(Flux.just(bytes("a,y\n" + ROW)), decoder(), context, ended).subscribe(probe);
    probe.request(10);
    assertThat(probe.items).hasValue(2);
  }

  @Test
  void shouldLeakNothingWhenCancelledAtAnyMoment() throws InterruptedException {
    long seed = 5;
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 300; round++) {
      ExecutorService source = Executors.newSingleThreadExecutor();
      long inputSeed = random.nextLong();
      SplittableRandom input = new SplittableRandom(inputSeed);
      Flux<ByteBuf> reader =
          Flux.<ByteBuf, Integer>generate(
              () -> 0,
              (i, sink) -> {
                sink.next(bytes(i == 0 ? "a,y\n" : ROW.repeat(input.nextInt(7)) + "1,2"));
                return i + 1;
              });
      int cancelAt = random.nextInt(20);
      CountDownLatch reached = new CountDownLatch(cancelAt);
      Probe probe =
          new Probe() {
            @Override
            protected void hookOnNext(StreamItem item) {
              super.hookOnNext(item);
              reached.countDown();
            }
          };
      DecodedFlux.decode(reader, decoder(), context, source).subscribe(probe);
      probe.request(cancelAt + random.nextInt(3));
      assertThat(reached.await(10, TimeUnit.SECONDS)).as("round %d, seed %d", round, seed).isTrue();
      for (int spins = ThreadLocalRandom.current().nextInt(2000); spins > 0; spins--) {
        Thread.onSpinWait();
      }
      probe.cancel();
      source.shutdown();
      assertThat(source.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      assertThat(pool.held()).as("round %d, seed %d", round, seed).isZero();
    }
    assertThat(buffers).allSatisfy(buffer -> assertThat(buffer.refCnt()).isZero());
  }

  @Test
  void shouldDeliverEveryRowOnceWhateverTheThreads() throws InterruptedException {
    ExecutorService source = Executors.newSingleThreadExecutor();
    ExecutorService sink = Executors.newSingleThreadExecutor();
    int rows = 20_000;
    CountDownLatch done = new CountDownLatch(1);
    AtomicInteger seen = new AtomicInteger();
    Flux<ByteBuf> reader =
        Flux.range(0, rows / 10).map(i -> bytes((i == 0 ? "a,y\n" : "") + ROW.repeat(10)));
    Probe probe =
        new Probe() {
          @Override
          protected void hookOnSubscribe(Subscription subscription) {
            subscription.request(1);
          }

          @Override
          protected void hookOnNext(StreamItem item) {
            sink.execute(
                () -> {
                  if (item instanceof Block block) {
                    seen.addAndGet(block.rows());
                    block.release();
                  }
                  request(1);
                });
          }

          @Override
          protected void hookOnComplete() {
            done.countDown();
          }
        };
    DecodedFlux.decode(reader, decoder(), context, source).subscribe(probe);
    assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
    source.shutdown();
    sink.shutdown();
    assertThat(sink.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(seen).hasValue(rows);
    assertThat(context.ingest().rows()).isEqualTo(rows);
    assertThat(context.ingest().bytes()).isEqualTo(4L + rows * 4L);
  }

  /** Takes items as a test asks for them. */
  private static class Probe extends BaseSubscriber<StreamItem> {
    final AtomicInteger items = new AtomicInteger();

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      // Nothing is requested before the test does.
    }

    @Override
    protected void hookOnNext(StreamItem item) {
      items.incrementAndGet();
      if (item instanceof Block block) {
        block.release();
      }
    }
  }

  private Flux<StreamItem> items(Flux<ByteBuf> bytes) {
    Executor inline = Runnable::run;
    return DecodedFlux.decode(bytes, decoder(), context, inline);
  }

  private RowDecoder decoder() {
    return RowDecoder.of(
        CSV, SCHEMA, new ClassNumbering(), new PartitionCursor(0, 0, 0, 0), context, 1000);
  }

  private Block acquire() {
    return Objects.requireNonNull(
        pool.tryAcquire(1, new PartitionCursor(0, 9, 0, 0)), "a block should be free");
  }

  private synchronized ByteBuf bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(bytes.length).writeBytes(bytes);
    buffers.add(buffer);
    return buffer;
  }

  private static void assertRows(StreamItem item, int rows) {
    assertThat(item).isInstanceOf(Block.class);
    Block block = (Block) item;
    assertThat(block.rows()).isEqualTo(rows);
    block.release();
  }
}
