package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.publisher.TestPublisher;
import reactor.test.scheduler.VirtualTimeScheduler;

class AssemblerTest {
  private static final int BATCH = 8;
  private static final int COLUMNS = 3;

  private final VirtualTimeScheduler scheduler = VirtualTimeScheduler.create();
  private final Rows rows = new Rows(COLUMNS, 20, 64);
  private final PartitionCursor cursor = new PartitionCursor(1, 2, 0, 0);
  private final List<String> trained = new ArrayList<>();
  private final List<Barrier> passed = new ArrayList<>();
  private SlotRing ring = ring(4);
  private long consumed = -1;

  @SuppressWarnings("MustBeClosedChecker") // closed by the ring
  private static SlotRing ring(int slots) {
    Arena arena = Arena.ofShared();
    return new SlotRing(
        slots,
        SlotLayout.of(BATCH, COLUMNS),
        new SlotMemory() {
          @Override
          public MemorySegment allocate(long bytes) {
            return arena.allocate(bytes, 64);
          }

          @Override
          public void close() {
            arena.close();
          }
        });
  }

  private Assembler assembler(Duration maxDelay, long maxRows) {
    return assembler(Rows.numbers(COLUMNS), maxDelay, maxRows);
  }

  private Assembler assembler(BlockSchema schema, Duration maxDelay, long maxRows) {
    return new Assembler(
        new FeaturePlan(schema, List.of()),
        ring,
        scheduler.createWorker(),
        maxDelay,
        maxRows,
        () -> scheduler.now(TimeUnit.NANOSECONDS),
        new StageMeter("assembler"));
  }

  /** The device thread: takes the next published slots, checks every value in them and releases them. */
  private void train(int slots) {
    for (int i = 0; i < slots && consumed < ring.published(); i++) {
      Slot slot = ring.get(consumed + 1);
      Barrier barrier = slot.barrier();
      if (barrier == null) {
        trained.add(describe(slot));
      } else {
        passed.add(barrier);
      }
      poison(slot);
      ring.release(++consumed);
      scheduler.advanceTime();
    }
  }

  private static void poison(Slot slot) {
    slot.memory().fill((byte) 0xff);
  }

  /** "first row-last row", all values in between having been checked. */
  private static String describe(Slot slot) {
    SlotLayout layout = slot.layout();
    MemorySegment memory = slot.memory();
    long first = Values.getLong(memory, layout.rowOffset(), 0);
    for (int r = 0; r < layout.capacityRows(); r++) {
      boolean real = r < slot.validRows();
      for (int c = 0; c < COLUMNS; c++) {
        assertThat(Values.getFloat(memory, layout.featureOffset(c), r))
            .isEqualTo(real ? Rows.value(first + r, c) : 0);
      }
      assertThat(Values.getFloat(memory, layout.labelOffset(), r))
          .isEqualTo(real ? Rows.label(first + r) : 0);
      assertThat(Values.getFloat(memory, layout.weightOffset(), r)).isEqualTo(real ? 1 : 0);
      if (real) {
        assertThat(Values.getLong(memory, layout.rowOffset(), r)).isEqualTo(first + r);
        assertThat(Values.getLong(memory, layout.partitionOffset(), r))
            .isEqualTo(PartitionCursor.key(1, 2));
        assertThat(Values.getLong(memory, layout.timeOffset(), r)).isEqualTo(77);
      }
    }
    assertThat(slot.weightSum()).isEqualTo(slot.validRows());
    return first + "-" + (first + slot.validRows() - 1);
  }

  @AfterEach
  void shouldLeakNothing() {
    assertThat(rows.pool.held()).isZero();
    rows.close();
    ring.close();
  }

  /** Row r is of class r mod 7 and weighs r + ½ by itself. */
  @Test
  void shouldWeighRowsByTheirClassToo() {
    List<Double> classWeights = List.of(1.0, 2.0, 0.5, 4.0, 1.0, 8.0, 0.25);
    for (String weightField : List.of("", "w")) {
      BlockSchema schema =
          new BlockSchema(
              Rows.numbers(COLUMNS).columns(),
              new BlockSchema.Label("y", 7, List.of(), classWeights),
              weightField,
              "");
      ring.close();
      ring = ring(8);
      try (Rows weighed = new Rows(schema, 20, 64)) {
        Flux.fromIterable(weighed.blocks(cursor, 0, 50, new SplittableRandom(1)))
            .subscribe(assembler(schema, Duration.ZERO, Long.MAX_VALUE));
        for (int minibatch = 0; minibatch < 7; minibatch++) {
          Slot slot = ring.get(minibatch);
          double sum = 0;
          for (int row = 0; row < slot.validRows(); row++) {
            int number = minibatch * BATCH + row;
            double expected =
                classWeights.get(number % 7) * (weightField.isEmpty() ? 1 : number + 0.5);
            assertThat(Values.getFloat(slot.memory(), slot.layout().weightOffset(), row))
                .isEqualTo((float) expected);
            sum += expected;
          }
          assertThat(slot.weightSum()).isEqualTo(sum);
        }
      }
    }
  }

  @Test
  void shouldCutMinibatchesByCountWhateverTheBlocks() {
    for (long seed = 1; seed <= 20; seed++) {
      trained.clear();
      ring.close();
      ring = ring(4);
      consumed = -1;
      Assembler assembler = assembler(Duration.ZERO, Long.MAX_VALUE);
      Flux.fromIterable(rows.blocks(cursor, 0, 50, new SplittableRandom(seed)))
          .subscribe(assembler);
      train(100);
      assertThat(trained)
          .as("seed %d", seed)
          .containsExactly("0-7", "8-15", "16-23", "24-31", "32-39", "40-47", "48-49");
      assertThat(assembler.finished()).isTrue();
    }
  }

  @Test
  void shouldEndTheStreamAndHoldNothingAfterAFaultOfItsOwn() {
    Assembler assembler = assembler(Duration.ZERO, Long.MAX_VALUE);
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    upstream.flux().subscribe(assembler);
    try (Rows narrower = new Rows(COLUMNS - 1, 20, 4)) {
      upstream.next(narrower.block(cursor, 0, 5)); // lacks a column of the plan
      assertThat(assembler.failure()).isInstanceOf(IndexOutOfBoundsException.class);
      assertThat(assembler.finished()).isTrue();
      upstream.assertCancelled();
      assertThat(narrower.pool.held()).isZero();
    }
  }

  @Test
  void shouldAskForNothingWhileTheRingIsFullAndGoOnWhenHalfIsFree() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    Assembler assembler = assembler(Duration.ZERO, Long.MAX_VALUE);
    upstream.flux().subscribe(assembler);
    upstream.next(rows.block(cursor, 0, 20));
    upstream.assertMinRequested(1);
    upstream.next(rows.block(cursor, 20, 40));
    scheduler.advanceTime();
    assertThat(ring.fill()).isEqualTo(4);
    assertThat(rows.pool.held()).isEqualTo(1);
    upstream.assertMaxRequested(0);
    train(1);
    assertThat(rows.pool.held()).as("one slot free of four: not woken yet").isEqualTo(1);
    train(1);
    assertThat(rows.pool.held()).isZero();
    upstream.assertMinRequested(1);
    upstream.complete();
    train(10);
    assertThat(trained).containsExactly("0-7", "8-15", "16-23", "24-31", "32-39");
  }

  @Test
  void shouldPublishAShortMinibatchAfterMaxDelay() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    upstream.flux().subscribe(assembler(Duration.ofMillis(20), Long.MAX_VALUE));
    upstream.next(rows.block(cursor, 0, 11));
    scheduler.advanceTimeBy(Duration.ofMillis(19));
    train(9);
    assertThat(trained).containsExactly("0-7");
    scheduler.advanceTimeBy(Duration.ofMillis(4));
    train(9);
    assertThat(trained).containsExactly("0-7", "8-10");
    upstream.next(rows.block(cursor, 11, 19));
    train(9);
    assertThat(trained).containsExactly("0-7", "8-10", "11-18");
    upstream.complete();
  }

  @Test
  void shouldEndAfterExactlyMaxRows() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    Assembler assembler = assembler(Duration.ZERO, 13);
    upstream.flux().subscribe(assembler);
    upstream.next(rows.block(cursor, 0, 10));
    upstream.next(rows.block(cursor, 10, 20));
    upstream.assertCancelled();
    train(9);
    assertThat(trained).containsExactly("0-7", "8-12");
    assertThat(assembler.finished()).isTrue();
    assertThat(assembler.acceptedRows()).isEqualTo(13);
  }

  @Test
  void shouldGiveBackWhatItHoldsWhenStopped() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    Assembler assembler = assembler(Duration.ofMillis(20), Long.MAX_VALUE);
    upstream.flux().subscribe(assembler);
    upstream.next(rows.block(cursor, 0, 20));
    upstream.next(rows.block(cursor, 20, 40));
    assertThat(rows.pool.held()).isEqualTo(1);
    assembler.stop();
    scheduler.advanceTimeBy(Duration.ofSeconds(1));
    upstream.assertCancelled();
    assertThat(assembler.finished()).isTrue();
    assertThat(ring.published()).as("nothing is published after the stop").isEqualTo(3);
  }

  @Test
  void shouldReportWhyTheStreamBroke() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    Assembler assembler = assembler(Duration.ZERO, Long.MAX_VALUE);
    upstream.flux().subscribe(assembler);
    upstream.next(rows.block(cursor, 0, 3));
    upstream.error(new IllegalStateException("gone"));
    train(9);
    assertThat(trained).as("what had come is still trained").containsExactly("0-2");
    assertThat(assembler.failure()).hasMessage("gone");
  }

  @Test
  void shouldPutABarrierBeforeTheUnfinishedMinibatch() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    upstream.flux().subscribe(assembler(Duration.ZERO, Long.MAX_VALUE));
    upstream.next(rows.block(cursor, 0, 11));
    upstream.next(new Barrier(0, 0));
    upstream.next(rows.block(cursor, 11, 16));
    upstream.complete();
    train(1);
    assertThat(trained).containsExactly("0-7");
    train(1);
    assertThat(passed).hasSize(1);
    train(9);
    assertThat(trained).containsExactly("0-7", "8-15");
  }

  @Test
  void shouldGoOnFromASavedCutAtAnyRowAsIfNothingHadHappened() {
    for (int cut = 0; cut <= 40; cut++) {
      trained.clear();
      ring.close();
      ring = ring(4);
      consumed = -1;
      TestPublisher<StreamItem> upstream = TestPublisher.create();
      upstream.flux().subscribe(assembler(Duration.ZERO, Long.MAX_VALUE));
      for (int r = 0; r < cut; r++) {
        upstream.next(rows.block(cursor, r, r + 1));
        train(1);
      }
      Barrier barrier = new Barrier(0, 0);
      upstream.next(barrier);
      train(9);
      assertThat(passed).contains(barrier);

      ring.close();
      ring = ring(4);
      consumed = -1;
      Assembler second = assembler(Duration.ZERO, Long.MAX_VALUE);
      second.restore(barrier.state().scope(Assembler.SCOPE));
      Flux.fromIterable(rows.blocks(cursor, cut, 44, new SplittableRandom(cut))).subscribe(second);
      train(99);
      assertThat(trained)
          .as("cut at %d", cut)
          .containsExactly("0-7", "8-15", "16-23", "24-31", "32-39", "40-43");
      assertThat(second.acceptedRows()).isEqualTo(44);
    }
  }

  @Test
  void shouldHoldABarrierBackWhileTheRingIsFull() {
    TestPublisher<StreamItem> upstream = TestPublisher.create();
    upstream.flux().subscribe(assembler(Duration.ZERO, Long.MAX_VALUE));
    upstream.next(rows.block(cursor, 0, 16));
    upstream.next(rows.block(cursor, 16, 28));
    upstream.next(new Barrier(0, 0));
    assertThat(ring.fill()).as("three minibatches; the fourth slot is being filled").isEqualTo(3);
    upstream.assertMaxRequested(0);
    train(2);
    train(2);
    assertThat(passed).hasSize(1);
    upstream.complete();
    train(9);
    assertThat(trained).containsExactly("0-7", "8-15", "16-23", "24-27");
  }
}
