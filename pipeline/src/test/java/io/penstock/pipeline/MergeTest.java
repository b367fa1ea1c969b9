package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class MergeTest {
  private final Rows rows = new Rows(1, 16, 64);
  private final PartitionCursor a = new PartitionCursor(0, 0, 0, 0);
  private final PartitionCursor b = new PartitionCursor(0, 1, 0, 0);
  private final TestPublisher<StreamItem> itemsA = TestPublisher.create();
  private final TestPublisher<StreamItem> itemsB = TestPublisher.create();
  private final List<State> durable = new ArrayList<>();
  private boolean replays = true;
  private final Merge merge = new Merge(List.of(source()), List.of(1), 0, Runnable::run);

  private Source source() {
    return new Source() {
      @Override
      public String name() {
        return "test";
      }

      @Override
      public boolean replays() {
        return replays;
      }

      @Override
      public Flux<Partition> partitions() {
        return Flux.just(new Partition(a, itemsA.flux()), new Partition(b, itemsB.flux()));
      }

      @Override
      public void save(State state) {
        state.put("rows", a.nextRow(), b.nextRow());
      }

      @Override
      public void durable(State cut) {
        durable.add(cut);
      }
    };
  }

  @AfterEach
  void shouldLeakNothing() {
    assertThat(rows.pool.held()).isZero();
    rows.close();
  }

  private static void release(StreamItem item) {
    Assembler.discard(item, new IllegalStateException("test"));
  }

  @Test
  void shouldAskEachPartitionForOneItemAtATime() {
    StepVerifier.create(merge.items(), 0)
        .then(
            () -> {
              itemsA.assertMaxRequested(1);
              itemsB.assertMaxRequested(1);
              itemsA.next(rows.block(a, 0, 5));
              itemsA.assertMaxRequested(0);
            })
        .thenRequest(1)
        .consumeNextWith(MergeTest::release)
        .then(() -> itemsA.assertMinRequested(1))
        .thenCancel()
        .verify();
    itemsA.assertCancelled();
    itemsB.assertCancelled();
  }

  /** A source with one partition, whose blocks have {@code blockRows} rows and never end. */
  private Source endless(int source, int blockRows) {
    PartitionCursor cursor = new PartitionCursor(source, 0, 0, 0);
    Flux<StreamItem> items =
        Flux.generate(
            () -> 0,
            (from, sink) -> {
              sink.next(rows.block(cursor, from, from + blockRows));
              return from + blockRows;
            });
    return new Source() {
      @Override
      public String name() {
        return "endless";
      }

      @Override
      public boolean replays() {
        return true;
      }

      @Override
      public Flux<Partition> partitions() {
        return Flux.just(new Partition(cursor, items));
      }
    };
  }

  @Test
  void shouldServeSourcesByTheirSharesWhileAllHaveRowsWaiting() {
    Merge shared =
        new Merge(List.of(endless(0, 2), endless(1, 5)), List.of(3, 1), 0, Runnable::run);
    int[] rowsOf = new int[2];
    BaseSubscriber<StreamItem> subscriber =
        new BaseSubscriber<>() {
          @Override
          protected void hookOnSubscribe(Subscription subscription) {
            // no demand before both are there
          }

          @Override
          protected void hookOnNext(StreamItem item) {
            Block block = (Block) item;
            rowsOf[block.cursor().source()] += block.rows();
            block.release();
          }
        };
    shared.items().subscribe(subscriber);
    subscriber.request(1000);
    subscriber.cancel();
    assertThat((double) rowsOf[0] / rowsOf[1]).isCloseTo(3, within(0.05));
  }

  @Test
  void shouldCutAtThePositionsOfWhatHasPassed() {
    List<StreamItem> seen = new ArrayList<>();
    var running = merge.items().subscribe(seen::add);
    itemsA.next(rows.block(a, 0, 5));
    itemsB.next(rows.block(b, 0, 7));
    itemsA.next(rows.block(a, 5, 9));
    CompletableFuture<State> cut = merge.cut();
    assertThat(cut).isNotDone();
    itemsA.next(rows.block(a, 9, 12));
    running.dispose();
    Barrier barrier = (Barrier) seen.get(3);
    assertThat(barrier.state().longs("positions")).containsExactly(0, 0, 9, 90, 0, 1, 7, 70);
    assertThat(Merge.cursors(barrier.state(), 0))
        .extracting(PartitionCursor::nextRow)
        .containsExactly(9L, 7L);
    seen.forEach(MergeTest::release);
  }

  @Test
  void shouldLetSourcesSaveAtThePositionsOfTheBarrier() {
    List<StreamItem> seen = new ArrayList<>();
    var running = merge.items().subscribe(seen::add);
    itemsA.next(rows.block(a, 0, 5));
    var _ = merge.cut();
    itemsA.next(rows.block(a, 5, 9));
    running.dispose();
    State cut = ((Barrier) seen.get(1)).state();
    assertThat(Merge.scope(cut, 0).longs("rows")).containsExactly(5, 0);
    merge.durable(cut);
    assertThat(durable).containsExactly(cut);
    seen.forEach(MergeTest::release);
  }

  @Test
  void shouldLetABarrierWaitForDemandBehindWhatWasAskedFor() {
    List<StreamItem> seen = new ArrayList<>();
    StepVerifier.create(merge.items().doOnNext(seen::add), 1)
        .then(() -> itemsA.next(rows.block(a, 0, 5)))
        .expectNextCount(1)
        .then(() -> assertThat(merge.cut()).isNotDone())
        .expectNoEvent(java.time.Duration.ZERO)
        .thenRequest(1)
        .expectNextMatches(Barrier.class::isInstance)
        .thenCancel()
        .verify();
    seen.forEach(MergeTest::release);
  }

  @Test
  void shouldLeaveOutRowsAndCountThemAndSayWhich() {
    State saved = new State();
    merge.save(saved);
    Merge.leaveOut(saved, List.of(new RowRange(a.key(), 3, 7), new RowRange(b.key(), 0, 99)));
    Merge.leaveOut(saved, List.of(new RowRange(a.key(), 10, 10)));
    List<String> told = new ArrayList<>();
    Merge resumed = new Merge(List.of(source()), List.of(1), 0, Runnable::run);
    resumed.restore(saved);
    resumed.onLeftOut((partition, row) -> told.add(partition + ":" + row));
    List<StreamItem> seen = new ArrayList<>();
    var running = resumed.items().subscribe(seen::add);
    itemsA.next(rows.block(a, 0, 5));
    var _ = resumed.cut();
    itemsB.next(rows.block(b, 0, 4));
    itemsA.next(rows.block(a, 5, 12));
    var _ = resumed.cut();
    itemsA.next(rows.block(a, 12, 14));
    running.dispose();

    assertThat(numbers(seen.get(0))).containsExactly(0L, 1L, 2L);
    assertThat(numbers(seen.get(2))).isEmpty();
    assertThat(numbers(seen.get(3))).containsExactly(8L, 9L, 11L);
    assertThat(((Block) seen.get(3)).nextRow()).isEqualTo(12);
    assertThat(numbers(seen.get(5))).containsExactly(12L, 13L);
    assertThat(told)
        .containsExactly("0:3", "0:4", "1:0", "1:1", "1:2", "1:3", "0:5", "0:6", "0:7", "0:10");
    RowTally expected = new RowTally();
    List.of(3L, 4L, 5L, 6L, 7L, 10L).forEach(row -> expected.add(a.key(), row));
    List.of(0L, 1L, 2L, 3L).forEach(row -> expected.add(b.key(), row));
    assertThat(resumed.leftOut().hash()).isEqualTo(expected.hash());
    assertThat(resumed.leftOut().rows()).isEqualTo(10);
    assertThat(((Barrier) seen.get(1)).state().longs("leaveOut"))
        .as("what is still to be left out at the first cut")
        .containsExactly(a.key(), 3, 7, a.key(), 10, 10, b.key(), 0, 99);
    assertThat(((Barrier) seen.get(4)).state().longs("leaveOut"))
        .as("what has passed is forgotten")
        .containsExactly(b.key(), 0, 99);
    Merge.leaveOut(saved, List.of(new RowRange(b.key(), 100, 109)));
    resumed.adopt(saved, resumed.known());
    assertThat(saved.longs("leaveOut"))
        .as("a run that goes back further leaves all of them out")
        .containsExactly(a.key(), 3, 7, a.key(), 10, 10, b.key(), 0, 109);
    assertThat(((Barrier) seen.get(4)).state().longs(Merge.LEFT_OUT)[0]).isEqualTo(10);
    assertThat(((Barrier) seen.get(4)).state().longs(Merge.REJECTED)[0]).isZero();
    seen.forEach(MergeTest::release);
  }

  @Test
  void shouldJoinRangesThatTouch() {
    assertThat(
            RowRange.joined(
                List.of(
                    new RowRange(1, 5, 9),
                    new RowRange(0, 10, 19),
                    new RowRange(0, 0, 4),
                    new RowRange(0, 5, 7),
                    new RowRange(0, 12, 15),
                    new RowRange(0, 20, 20))))
        .containsExactly(new RowRange(0, 0, 7), new RowRange(0, 10, 20), new RowRange(1, 5, 9));
  }

  @Test
  void shouldKeepTheValuesOfRowsTogetherWhereOthersAreLeftOut() {
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new BlockSchema.Column("x0", BlockSchema.Kind.NUMBER, false),
                new BlockSchema.Column("x1", BlockSchema.Kind.NUMBER, false)),
            new BlockSchema.Label("y", 0, List.of()),
            "w",
            "t");
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    try (Rows many = new Rows(schema, 64, 64)) {
      for (int round = 0; round < 200; round++) {
        int rowsOfBlock = random.nextInt(1, 65);
        Block block = many.block(a, 100, 100 + rowsOfBlock);
        int from = random.nextInt(rowsOfBlock);
        int to = random.nextInt(from, rowsOfBlock + 1);
        block.remove(from, to);
        assertThat(block.rows()).isEqualTo(rowsOfBlock - (to - from));
        List<Long> numbers = numbers(block);
        for (int i = 0; i < numbers.size(); i++) {
          long row = i < from ? 100 + i : 100 + i + to - from;
          String where = "seed %d, round %d, row %d".formatted(seed, round, row);
          BlockLayout layout = block.layout();
          assertThat(numbers.get(i)).as(where).isEqualTo(row);
          for (int c = 0; c < 2; c++) {
            assertThat(Values.getFloat(block.memory(), layout.columnOffset(c), i))
                .as(where)
                .isEqualTo(Rows.value(row, c));
          }
          assertThat(Values.getFloat(block.memory(), layout.labelOffset(), i))
              .as(where)
              .isEqualTo(Rows.label(row));
          assertThat(Values.getFloat(block.memory(), layout.weightOffset(), i))
              .as(where)
              .isEqualTo(0.5f + row);
          assertThat(Values.getLong(block.memory(), layout.timeOffset(), i))
              .as(where)
              .isEqualTo(1000 + row);
        }
        block.release();
      }
    }
  }

  private static List<Long> numbers(StreamItem item) {
    Block block = (Block) item;
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < block.rows(); i++) {
      numbers.add(Values.getLong(block.memory(), block.layout().rowOffset(), i));
    }
    return numbers;
  }

  @Test
  void shouldKeepThePositionOfAnEndedPartitionOnlyWhereItCanBeReadAgain() {
    assertThat(positionsAfterTheEndOfA()).containsExactly(0, 0, 5, 50, 0, 1, 0, 0);
  }

  @Test
  void shouldForgetThePositionOfAnEndedConnection() {
    replays = false;
    assertThat(positionsAfterTheEndOfA()).containsExactly(0, 1, 0, 0);
  }

  private long[] positionsAfterTheEndOfA() {
    List<StreamItem> seen = new ArrayList<>();
    var running = merge.items().subscribe(seen::add);
    itemsA.next(rows.block(a, 0, 5));
    itemsA.next(new EndOfPartition(0, a));
    var _ = merge.cut();
    running.dispose();
    seen.forEach(MergeTest::release);
    return ((Barrier) seen.getLast()).state().longs("positions");
  }

  @Test
  void shouldEndWhereASubscriberBreaksTheRulesAndThrows() {
    List<Throwable> failures = new ArrayList<>();
    merge
        .items()
        .subscribe(
            new CoreSubscriber<StreamItem>() {
              @Override
              public void onSubscribe(Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
              }

              @Override
              public void onNext(StreamItem item) {
                release(item);
                throw new AssertionError("a fault");
              }

              @Override
              public void onError(Throwable error) {
                failures.add(error);
              }

              @Override
              public void onComplete() {}
            });
    itemsA.next(rows.block(a, 0, 5));
    assertThat(failures).singleElement().extracting(Throwable::getMessage).isEqualTo("a fault");
    itemsA.assertCancelled();
    itemsB.assertCancelled();
  }

  @Test
  void shouldCompleteWhenAllPartitionsHaveAndRefuseToCutThen() {
    StepVerifier.create(merge.items())
        .then(itemsA::complete)
        .then(itemsB::complete)
        .verifyComplete();
    CompletableFuture<State> cut = merge.cut();
    assertThatThrownBy(cut::join).hasRootCauseMessage("no cut: the stream has ended");
  }

  @Test
  void shouldGiveBackWhatIsQueuedWhenCancelled() {
    StepVerifier.create(merge.items(), 0)
        .then(() -> itemsA.next(rows.block(a, 0, 5)))
        .then(() -> itemsB.next(rows.block(b, 0, 5)))
        .thenCancel()
        .verify();
  }
}
