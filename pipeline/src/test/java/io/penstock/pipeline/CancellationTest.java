package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** The stream as a run has it, on real threads, cancelled at any moment: each block is given back once. */
@Timeout(120)
class CancellationTest {
  private static final int ROUNDS = 1500;
  private static final int PARTITIONS = 4;
  private static final int BATCH = 8;
  private static final long SEED = 20_260_101;

  private final Rows rows = new Rows(1, 16, 64);
  private final Queue<Throwable> faults = new ConcurrentLinkedQueue<>();
  private final Scheduler senders = Schedulers.newParallel("senders", 2, true);
  private final Scheduler pipelineThread = Schedulers.newSingle("pipeline", true);

  @BeforeEach
  void hideNothing() {
    Hooks.onErrorDropped(faults::add);
    Hooks.onNextDropped(item -> faults.add(new AssertionError("dropped: " + item)));
    Schedulers.onHandleError((thread, error) -> faults.add(error));
  }

  @AfterEach
  void restore() {
    Hooks.resetOnErrorDropped();
    Hooks.resetOnNextDropped();
    Schedulers.resetOnHandleError();
    senders.dispose();
    pipelineThread.dispose();
    rows.close();
  }

  @Test
  void shouldGiveBackEachBlockOnceWhenStoppedAtAnyMoment() {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      run(Long.MAX_VALUE, random.nextInt(60_000), random);
    }
  }

  @Test
  void shouldGiveBackEachBlockOnceWhenTheAssemblerCancelsWhileItTakesOne() {
    SplittableRandom random = new SplittableRandom(SEED + 1);
    for (int round = 0; round < ROUNDS; round++) {
      run(random.nextLong(1, 200), Long.MAX_VALUE, random);
    }
  }

  @Test
  void shouldGiveBackEachBlockOnceWhenBothHappen() {
    SplittableRandom random = new SplittableRandom(SEED + 2);
    for (int round = 0; round < ROUNDS; round++) {
      run(random.nextLong(1, 200), random.nextInt(60_000), random);
    }
  }

  /** One stream from its beginning to its end, by {@code maxRows} or by a stop after so many nanoseconds. */
  private void run(long maxRows, long stopNanos, SplittableRandom random) {
    Scheduler.Worker worker = pipelineThread.createWorker();
    try (SlotRing ring = ring()) {
      Assembler assembler =
          new Assembler(
              new FeaturePlan(Rows.numbers(1), List.of()),
              ring,
              worker,
              Duration.ZERO,
              maxRows,
              System::nanoTime,
              new StageMeter("assembler"));
      new Merge(List.of(source(random.nextLong())), List.of(1), 0, pipelineThread::schedule)
          .items()
          .subscribe(assembler);
      long began = System.nanoTime();
      long released = -1;
      boolean stopped = false;
      while (!assembler.finished()) {
        if (!stopped && System.nanoTime() - began >= stopNanos) {
          stopped = true;
          assembler.stop();
        }
        if (released < ring.published()) {
          ring.release(++released);
        } else {
          LockSupport.parkNanos(1_000);
        }
      }
      while (rows.pool.held() > 0 && faults.isEmpty()) {
        assertThat(System.nanoTime() - began)
            .as("seed %d: %d blocks are still held", SEED, rows.pool.held())
            .isLessThan(Duration.ofSeconds(20).toNanos());
        LockSupport.parkNanos(1_000);
      }
      assertThat(faults).as("seed %d", SEED).isEmpty();
      assertThat(assembler.failure()).as("seed %d", SEED).isNull();
    } finally {
      worker.dispose();
    }
  }

  /** Partitions that send as they are asked, each on a thread of its own, as event loops do. */
  private Source source(long seed) {
    return new Source() {
      @Override
      public String name() {
        return "test";
      }

      @Override
      public boolean replays() {
        return true;
      }

      @Override
      public Flux<Partition> partitions() {
        return Flux.fromStream(
            IntStream.range(0, PARTITIONS).mapToObj(p -> partition(p, seed + p)));
      }
    };
  }

  private Source.Partition partition(int number, long seed) {
    PartitionCursor cursor = new PartitionCursor(0, number, 0, 0);
    AtomicLong next = new AtomicLong();
    SplittableRandom random = new SplittableRandom(seed);
    Flux<StreamItem> items =
        Flux.generate(
            sink -> {
              long from = next.get();
              long to = from + random.nextInt(1, 17);
              next.set(to);
              sink.next(rows.block(cursor, from, to));
            });
    return new Source.Partition(cursor, items.subscribeOn(senders));
  }

  @SuppressWarnings("MustBeClosedChecker") // closed by the ring
  private static SlotRing ring() {
    Arena arena = Arena.ofShared();
    return new SlotRing(
        4,
        SlotLayout.of(BATCH, 1),
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
}
