package io.penstock.ingest.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.GeneratorSchemas;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SchemaResolver;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.StreamItem;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.scheduler.VirtualTimeScheduler;

@Timeout(60)
class HostSourceTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final BlockSchema SCHEMA =
      SchemaResolver.resolve(GeneratorSchemas.ofHost(), List.of(), column -> false);
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final VirtualTimeScheduler time = VirtualTimeScheduler.create(true);
  private long sleptNanos;
  private final EpochNanoClock clock = () -> time.now(TimeUnit.NANOSECONDS) + sleptNanos;
  private final StageMeter meter = new StageMeter("ingest");
  private final BlockPool pool = pool(4, 4);
  private final List<Map<String, Double>> rows = new ArrayList<>();
  private int samples;

  @AfterEach
  void shouldHaveGivenBackEveryBlock() {
    assertThat(pool.held()).isZero();
    pool.close();
  }

  @Test
  void shouldSendARowWhenTheNextTickHasBroughtItsLabel() {
    StepVerifier.create(items(0, this::machine), 100)
        .then(() -> time.advanceTimeBy(SECOND))
        .then(() -> assertThat(samples).isEqualTo(2))
        .then(() -> assertThat(rows).isEmpty())
        .then(() -> time.advanceTimeBy(SECOND))
        .consumeNextWith(this::take)
        .then(() -> time.advanceTimeBy(SECOND))
        .consumeNextWith(this::take)
        .thenCancel()
        .verify(Duration.ofSeconds(20));
    assertThat(rows)
        .extracting(row -> row.get("row"), row -> row.get("cpu"), row -> row.get("nextCpu"))
        .containsExactly(tuple(0.0, share(1), share(2)), tuple(1.0, share(2), share(3)));
    assertThat(rows).extracting(row -> row.get("time")).containsExactly(1e9, 2e9);
  }

  /** Tick n takes the processors n hundredths, and a tenth of the rest waits. */
  private static double share(int tick) {
    return (float) tick / 100;
  }

  @Test
  void shouldSaySharesRatesAndLevelsByTheirNames() {
    StepVerifier.create(items(0, this::machine), 100)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(2)))
        .consumeNextWith(this::take)
        .thenCancel()
        .verify(Duration.ofSeconds(20));
    Map<String, Double> row = rows.getFirst();
    assertThat(row.keySet())
        .containsAll(GeneratorSchemas.ofHost().fields().keySet())
        .hasSize(GeneratorSchemas.ofHost().fields().size() + 3);
    Map<String, Double> expected = new LinkedHashMap<>();
    expected.put("cpu", 0.01);
    expected.put("cpuUser", 0.004);
    expected.put("cpuSystem", 0.003);
    expected.put("cpuIrq", 0.002);
    expected.put("cpuSteal", 0.001);
    expected.put("cpuIoWait", 0.099);
    expected.put("load1", 2.0);
    expected.put("load5", 3.0);
    expected.put("load15", 4.0);
    expected.put("memoryUsed", 0.5);
    expected.put("swapUsed", 0.25);
    expected.put("diskRead", 1000.0);
    expected.put("diskWritten", 2000.0);
    expected.put("received", 3000.0);
    expected.put("sent", 4000.0);
    expected.put("contextSwitches", 5000.0);
    expected.put("interrupts", 6000.0);
    expected.put("processes", 70.0);
    expected.put("threads", 80.0);
    expected.forEach(
        (name, value) -> assertThat(row.get(name)).as(name).isCloseTo(value, within(1e-6)));
  }

  @Test
  void shouldEndWithTheRowThatWasAskedFor() {
    StepVerifier.create(items(3, this::machine))
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(10)))
        .consumeNextWith(this::take)
        .consumeNextWith(this::take)
        .consumeNextWith(this::take)
        .expectNextMatches(EndOfPartition.class::isInstance)
        .expectComplete()
        .verify(Duration.ofSeconds(20));
    assertThat(samples).isEqualTo(5);
    assertThat(meter.rows()).isEqualTo(3);
  }

  /** What would not be taken is not measured: memory is bounded, and labels are never those of later ticks. */
  @Test
  void shouldMeasureNoMoreThanABlockThatNobodyAsksForAndBeginAnewAfterwards() {
    StepVerifier.create(items(0, this::machine), 0)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(20)))
        .then(() -> assertThat(samples).isEqualTo(6))
        .then(() -> assertThat(pool.held()).isEqualTo(1))
        .thenRequest(1)
        .consumeNextWith(this::take)
        .thenRequest(1)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(3)))
        .consumeNextWith(this::take)
        .thenCancel()
        .verify(Duration.ofSeconds(20));
    assertThat(rows).extracting(row -> row.get("row")).containsExactly(0.0, 1.0, 2.0, 3.0, 4.0);
    assertThat(rows).extracting(row -> row.get("time")).last().isEqualTo(22e9);
    assertThat(rows).allMatch(row -> value(row, "nextCpu") - value(row, "cpu") < 0.0101);
  }

  @Test
  void shouldNotMeasureWithoutABlockToWriteTo() {
    List<Block> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add(pool.tryAcquire(0, new PartitionCursor(0, 1, 0, 0)));
    }
    StepVerifier.create(items(0, this::machine), 10)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(5)))
        .then(() -> assertThat(samples).isZero())
        .then(() -> held.removeLast().release())
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(3)))
        .consumeNextWith(this::take)
        .thenCancel()
        .verify(Duration.ofSeconds(20));
    held.forEach(Block::release);
  }

  @Test
  void shouldBeginAnewWhenTheMachineHasSlept() {
    StepVerifier.create(items(0, () -> samples == 3 ? asleep() : machine()), 100)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(6)))
        .consumeNextWith(this::take)
        .consumeNextWith(this::take)
        .thenCancel()
        .verify(Duration.ofSeconds(20));
    // Samples 0 to 2 make a row, the fourth is an hour later: rows go on with the one after it.
    assertThat(rows).extracting(row -> row.get("time")).containsExactly(1e9, 3604e9);
  }

  @Test
  void shouldGoOnWithTheNumbersBehindACheckpoint() {
    StepVerifier.create(items(43, context(new PartitionCursor(0, 0, 41, 41)), this::machine), 100)
        .then(() -> time.advanceTimeBy(SECOND.multipliedBy(9)))
        .consumeNextWith(this::take)
        .consumeNextWith(this::take)
        .expectNextMatches(EndOfPartition.class::isInstance)
        .expectComplete()
        .verify(Duration.ofSeconds(20));
    assertThat(rows).extracting(row -> row.get("row")).containsExactly(41.0, 42.0);
  }

  @Test
  void shouldSayThatSensorsCannotBeRead() {
    StepVerifier.create(
            items(
                0,
                () -> {
                  throw new UnsupportedOperationException("no /proc");
                }))
        .then(() -> time.advanceTimeBy(SECOND))
        .expectErrorSatisfies(
            e ->
                assertThat(e)
                    .isInstanceOf(SourceException.class)
                    .hasMessageContaining("source.host: cannot read this machine's sensors")
                    .hasMessageContaining("no /proc"))
        .verify(Duration.ofSeconds(20));
  }

  @Test
  void shouldSendNothingWhenCancelledBeforeItsFirstTick() {
    BaseSubscriber<StreamItem> subscriber = new BaseSubscriber<>() {};
    items(0, this::machine).subscribe(subscriber);
    subscriber.cancel();
    time.advanceTimeBy(SECOND.multipliedBy(5));
    assertThat(samples).isLessThanOrEqualTo(1);
  }

  /** Two real rows and one more, of the machine that runs the tests. */
  @Test
  void shouldMeasureThisMachine() {
    BlockPool real = pool(4, 64);
    SourceContext context =
        new SourceContext(
            0, 0, real, new NoRejections(), new SystemEpochNanoClock(), meter, Map.of());
    SourceConfig.Host host = new SourceConfig.Host(Duration.ofMillis(100), 3);
    new HostSource(host, context)
        .partitions()
        .flatMap(partition -> partition.items(), 1, 1)
        .doOnNext(
            item -> {
              if (item instanceof Block) {
                take(item);
              }
            })
        .blockLast(Duration.ofSeconds(40));
    assertThat(rows).hasSize(3);
    for (Map<String, Double> row : rows) {
      assertThat(row.values()).allMatch(Double::isFinite).allMatch(value -> value >= 0);
      for (String share : List.of("cpu", "cpuUser", "cpuSystem", "memoryUsed", "nextCpu")) {
        assertThat(row.get(share)).as(share).isBetween(0.0, 1.0);
      }
      assertThat(row.get("processes")).isGreaterThan(0);
      assertThat(row.get("threads")).isGreaterThan(0);
      assertThat(row.get("memoryUsed")).isGreaterThan(0);
    }
    assertThat(value(rows.get(1), "time") - value(rows.get(0), "time"))
        .isGreaterThanOrEqualTo(50e6);
    real.close();
  }

  private static double value(Map<String, Double> row, String name) {
    return Objects.requireNonNull(row.get(name), name);
  }

  private Sample machine() {
    int n = samples++;
    long busy = 10L * n * (n + 1) / 2; // n hundredths of 1000 ticks in the n-th
    long waiting = (1000L * n - busy) / 10;
    return sample(clock.nanoTime(), n, busy, waiting);
  }

  private Sample asleep() {
    sleptNanos += TimeUnit.HOURS.toNanos(1);
    return machine();
  }

  private static Sample sample(long nanos, int n, long busy, long waiting) {
    long user = busy * 4 / 10;
    long system = busy * 3 / 10;
    long irq = busy * 2 / 10;
    return new Sample(
        nanos,
        user,
        system,
        waiting,
        irq,
        busy - user - system - irq,
        1000L * n - busy - waiting,
        2,
        3,
        4,
        0.5,
        0.25,
        1000L * n,
        2000L * n,
        3000L * n,
        4000L * n,
        5000L * n,
        6000L * n,
        70,
        80);
  }

  private Flux<StreamItem> items(long records, Supplier<Sample> sensors) {
    return items(records, context(null), sensors);
  }

  private Flux<StreamItem> items(long records, SourceContext context, Supplier<Sample> sensors) {
    Source source =
        new HostSource(new SourceConfig.Host(SECOND, records), context, () -> sensors, () -> time);
    return Objects.requireNonNull(source.partitions().blockFirst()).items();
  }

  private void take(StreamItem item) {
    Block block = (Block) item;
    BlockLayout layout = block.layout();
    for (int r = 0; r < block.rows(); r++) {
      Map<String, Double> row = new LinkedHashMap<>();
      for (int c = 0; c < SCHEMA.columns().size(); c++) {
        row.put(
            SCHEMA.columns().get(c).name(),
            (double) block.memory().get(FLOAT, layout.columnOffset(c) + 4L * r));
      }
      row.put("nextCpu", (double) block.memory().get(FLOAT, layout.labelOffset() + 4L * r));
      row.put("time", (double) block.memory().get(LONG, layout.timeOffset() + 8L * r));
      row.put("row", (double) block.memory().get(LONG, layout.rowOffset() + 8L * r));
      rows.add(row);
    }
    block.release();
  }

  private static BlockPool pool(int blocks, int rows) {
    BlockLayout layout = new BlockLayout(SCHEMA, rows);
    return new BlockPool(layout, blocks * layout.byteSize());
  }

  private SourceContext context(@Nullable PartitionCursor resume) {
    return new SourceContext(
        0,
        0,
        pool,
        new NoRejections(),
        clock,
        meter,
        resume == null ? Map.of() : Map.of(0, resume));
  }

  private static final class NoRejections implements Rejections {
    @Override
    public void reject(
        PartitionCursor cursor,
        long row,
        Reason reason,
        String detail,
        byte[] raw,
        int begin,
        int end) {
      throw new AssertionError("a host rejects nothing");
    }

    @Override
    public long count() {
      return 0;
    }
  }
}
