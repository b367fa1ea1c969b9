package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Config;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.TrainerStatus;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.Evaluation;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;
import reactor.test.publisher.TestPublisher;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * All parts of a run, real ones, worked by the test's own thread: two partitions by turns, whose rows are a function of their
 * place in the stream, in blocks that end where the test says; a trainer that lags behind by the test's random numbers.
 */
final class HandDrivenRun implements AutoCloseable {
  static final int ROWS = 1500;

  private static final int TURN_ROWS = 37;
  private static final int BLOCK_ROWS = 50;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Config CONFIG =
      Config.parse(
          """
          source: { tcp: { port: 0, format: { csv: { header: false } } } }
          schema:
            label: { field: y, type: class, classes: 3 }
            weight: w
            fields: { a: number, b: number, c: number, d: number, f: flag, city: category }
          features:
            - impute: { fields: b, with: mean, updateEvery: 16 }
            - impute: { fields: d, with: last, updateEvery: 7 }
            - clip: { fields: c, min: -1, max: 1 }
            - standardize: { fields: number }
            - oneHot: { fields: city, capacity: 4 }
          batch: { size: 16, maxDelay: none }
          model: { mlp: { hidden: [8] } }
          optimizer: { adam: { learningRate: 0.01 } }
          pipeline: { slots: 4 }
          http: none
          """);

  private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
  private final SplittableRandom random;
  private final List<PartitionCursor> cursors;
  private final List<TestPublisher<StreamItem>> partitions =
      List.of(TestPublisher.create(), TestPublisher.create());
  private final BlockPool pool;
  private final FeaturePlan plan;
  private final SlotRing ring;
  private final DeviceSession session;
  private final Merge merge;
  private final OperatorStage operators;
  private final Assembler assembler;
  private final Trainer trainer;
  private int row;

  /**
   * What a run came to.
   *
   * @param state of operators, trainer and device
   */
  record End(
      String weightsSha256,
      Evaluation evaluation,
      long steps,
      long rows,
      String trainedHash,
      State state) {}

  /**
   * @param saved the cut to go on from, or null to begin
   * @param random cuts blocks and lets the trainer lag
   */
  HandDrivenRun(@Nullable State saved, SplittableRandom random) {
    this.random = random;
    BlockSchema schema = RunPlan.of(CONFIG, List.of()).schema();
    BlockLayout blocks = new BlockLayout(schema, BLOCK_ROWS);
    pool = new BlockPool(blocks, 8 * blocks.byteSize());
    plan = new FeaturePlan(schema, CONFIG.features());
    SlotLayout layout = SlotLayout.of(CONFIG.batch().size(), plan.features());
    ModelSpec model =
        ModelSpec.of(
            CONFIG.model(),
            CONFIG.loss(),
            CONFIG.optimizer(),
            CONFIG.schema().label(),
            plan.features());
    CpuDevice device = new CpuDevice();
    ring = new SlotRing(CONFIG.pipeline().slots(), layout, device.slotMemory());
    session =
        device.open(
            Lowering.lower(model, layout, CONFIG.evaluation().window()),
            InitialParameters.of(model, CONFIG.seed()));
    cursors =
        saved == null
            ? List.of(new PartitionCursor(0, 0, 0, 0), new PartitionCursor(0, 1, 0, 0))
            : Merge.cursors(saved, 0);
    row = Math.toIntExact(cursors.get(0).nextRow() + cursors.get(1).nextRow());
    merge = new Merge(List.of(source()), List.of(1), 0, Runnable::run);
    operators =
        new OperatorStage(plan, 1, Schedulers.immediate(), this::now, new StageMeter("operators"));
    assembler =
        new Assembler(
            plan,
            ring,
            time.createWorker(),
            Duration.ZERO,
            Long.MAX_VALUE,
            this::now,
            new StageMeter("assembler"));
    trainer = new Trainer(ring, session, new StageMeter("device"), this::now, this::now);
    if (saved != null) {
      plan.restore(saved.scope(OperatorStage.SCOPE));
      assembler.restore(saved.scope(Assembler.SCOPE));
      trainer.restore(saved);
      merge.restore(saved);
    }
    merge.items().transform(operators::apply).subscribe(assembler);
  }

  private long now() {
    return time.now(TimeUnit.NANOSECONDS);
  }

  private Source source() {
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
        return Flux.range(0, 2).map(i -> new Partition(cursors.get(i), partitions.get(i).flux()));
      }
    };
  }

  /** Sends on up to row {@code end} of the stream; a block ends there. */
  void runTo(int end) {
    while (row < end) {
      int rows = Math.min(random.nextInt(1, BLOCK_ROWS + 1), TURN_ROWS - row % TURN_ROWS);
      rows = Math.min(rows, end - row);
      int partition = row / TURN_ROWS % 2;
      Block block = block(partition, row, rows);
      row += rows;
      partitions.get(partition).next(block);
      while (assembler.acceptedRows() < row) {
        work();
      }
      if (random.nextInt(3) == 0) {
        work();
      }
    }
  }

  /** The state at a barrier behind the last row sent. */
  State cut() {
    CompletableFuture<State> cut = merge.cut();
    while (!cut.isDone()) {
      work();
    }
    return cut.join();
  }

  /** Ends the stream and trains what is left. */
  End end() {
    partitions.forEach(TestPublisher::complete);
    while (!assembler.finished()) {
      work();
    }
    trainer.endOfStream();
    while (!trainer.isDone()) {
      work();
    }
    State state = new State();
    plan.save(state.scope(OperatorStage.SCOPE));
    trainer.save(state);
    merge.save(state);
    trainer.onClose();
    TrainerStatus status = trainer.status();
    return new End(
        session.weightsSha256(),
        status.evaluation(),
        status.stepsApplied(),
        status.rowsTrained(),
        status.trainedHash(),
        state);
  }

  private void work() {
    trainer.doWork();
    time.advanceTime();
  }

  private Block block(int partition, int from, int rows) {
    Block block = Objects.requireNonNull(pool.tryAcquire(0, cursors.get(partition)));
    long first = rowInPartition(from);
    for (int i = 0; i < rows; i++) {
      fill(block, i, from + i, first + i);
    }
    block.seal(rows, first + rows, first + rows, now());
    return block;
  }

  private static long rowInPartition(int row) {
    return (long) (row / TURN_ROWS / 2) * TURN_ROWS + row % TURN_ROWS;
  }

  private static void fill(Block block, int at, int row, long rowInPartition) {
    MemorySegment memory = block.memory();
    BlockLayout layout = block.layout();
    SplittableRandom values = new SplittableRandom(row);
    float a = (float) values.nextGaussian();
    float b = values.nextInt(5) == 0 ? Float.NaN : (float) values.nextGaussian(3, 2);
    float c = (float) values.nextGaussian();
    float d = values.nextInt(5) == 0 ? Float.NaN : (float) values.nextGaussian(-100, 10);
    int city = values.nextInt(7);
    float[] numbers = {a, b, c, d, values.nextInt(2)};
    for (int column = 0; column < numbers.length; column++) {
      memory.set(FLOAT, layout.columnOffset(column) + 4L * at, numbers[column]);
    }
    long hash = city == 6 ? 0 : CategoryHash.of("city" + city);
    memory.set(LONG, layout.columnOffset(numbers.length) + 8L * at, hash);
    memory.set(FLOAT, layout.labelOffset() + 4L * at, a + c > 0.5 ? 2 : city < 3 ? 1 : 0);
    memory.set(FLOAT, layout.weightOffset() + 4L * at, values.nextInt(1, 4));
    memory.set(LONG, layout.rowOffset() + 8L * at, rowInPartition);
  }

  @Override
  public void close() {
    assembler.stop();
    time.advanceTime();
    trainer.onClose();
    operators.dispose();
    session.close();
    ring.close();
    assertThat(pool.held()).as("blocks leaked").isZero();
    pool.close();
  }
}
