package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.DeviceSession;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Cuts of runs that never were: operators fitted to random rows, and random weights. */
final class TestModels {
  private static final int ROWS = 200;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private TestModels() {}

  /** A cut that says that {@code rows} rows were trained on. */
  static State trained(Config config, List<String> columns, long rows) {
    RunPlan plan = RunPlan.of(config, columns);
    State cut = new State();
    fit(plan);
    plan.features().save(cut.scope(OperatorStage.SCOPE));
    SplittableRandom random = new SplittableRandom(7);
    float[] weights = new float[plan.program().parameters().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    try (DeviceSession session = new CpuDevice().open(plan.program(), weights)) {
      session.save(cut);
    }
    RowTally trained = new RowTally();
    for (long row = 0; row < rows; row++) {
      trained.add(0, row);
    }
    trained.save(cut, Trainer.TRAINED);
    return cut;
  }

  private static void fit(RunPlan plan) {
    BlockLayout layout = new BlockLayout(plan.schema(), ROWS);
    try (BlockPool pool = new BlockPool(layout, 4 * layout.byteSize())) {
      Block block = Objects.requireNonNull(pool.tryAcquire(0, new PartitionCursor(0, 0, 0, 0)));
      fill(block);
      block.seal(ROWS, ROWS, 0, 0);
      OperatorStage stage =
          new OperatorStage(
              plan.features(), 1, Schedulers.immediate(), () -> 0, new StageMeter("operators"));
      stage.apply(Flux.just(block)).blockLast();
      stage.dispose();
      block.release();
    }
  }

  private static void fill(Block block) {
    SplittableRandom random = new SplittableRandom(8);
    MemorySegment memory = block.memory();
    var columns = block.layout().schema().columns();
    for (int column = 0; column < columns.size(); column++) {
      long at = block.layout().columnOffset(column);
      for (int row = 0; row < ROWS; row++) {
        if (columns.get(column).kind() == Kind.CATEGORY) {
          memory.set(LONG, at + 8L * row, CategoryHash.of("value" + random.nextInt(3)));
        } else {
          memory.set(FLOAT, at + 4L * row, (float) random.nextGaussian(10, 3));
        }
      }
    }
  }
}
