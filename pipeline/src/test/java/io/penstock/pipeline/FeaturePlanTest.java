package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.config.FeatureConfig.TimePart;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class FeaturePlanTest {
  private static BlockSchema schema(Column... columns) {
    return new BlockSchema(List.of(columns), new Label("y", 2, List.of()), "", "");
  }

  @Test
  void shouldNumberFeaturesInTheOrderOfTheColumns() {
    FeaturePlan plan =
        new FeaturePlan(
            schema(
                new Column("age", Kind.NUMBER, false),
                new Column("city", Kind.CATEGORY, true),
                new Column("new", Kind.FLAG, false)),
            List.of(
                new FeatureConfig.Standardize(List.of("number"), 64),
                new FeatureConfig.OneHot(List.of("city"), List.of("Oslo", "Rome"), 0, 64)));
    assertThat(plan.names()).containsExactly("age", "city#0", "city#1", "new");
  }

  @Test
  void shouldNameWhatDoesNotFit() {
    assertThatThrownBy(
            () -> new FeaturePlan(schema(new Column("c", Kind.CATEGORY, false)), List.of()))
        .hasMessageContaining("'c'")
        .hasMessageContaining("oneHot");
    assertThatThrownBy(
            () ->
                new FeaturePlan(
                    schema(new Column("c", Kind.CATEGORY, false)),
                    List.of(new FeatureConfig.Clip(List.of("c"), 0, 1))))
        .hasMessageContaining("clip cannot be applied to 'c', a category");
    assertThatThrownBy(() -> new FeaturePlan(schema(new Column("x", Kind.NUMBER, true)), List.of()))
        .hasMessageContaining("'x' may be missing but no impute");
    assertThatThrownBy(
            () ->
                new FeaturePlan(
                    schema(new Column("x", Kind.NUMBER, true)),
                    List.of(
                        new FeatureConfig.Lag(List.of("x"), List.of(1)),
                        new FeatureConfig.Impute(List.of("x"), Imputation.MEAN, 0, 64))))
        .hasMessageContaining("'x~1' may be missing but no impute");
  }

  @Test
  void shouldSelectByTypeNameAndPattern() {
    assertThat(FieldSelector.selects(List.of("number"), new Column("x", Kind.NUMBER, false)))
        .isTrue();
    assertThat(
            FieldSelector.selects(
                List.of("Wild*"), new Column("Wilderness_Area1", Kind.FLAG, false)))
        .isTrue();
    assertThat(FieldSelector.selects(List.of("a.c"), new Column("abc", Kind.FLAG, false)))
        .isFalse();
    assertThat(
            FieldSelector.selects(List.of("*time"), new Column("event_time", Kind.NUMBER, false)))
        .isTrue();
    assertThat(FieldSelector.selects(List.of("y"), new Column("x", Kind.NUMBER, false))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 9})
  void shouldComputeTheSameBitsAtAnyParallelism(int parallelism) {
    assertThat(checksum(parallelism)).isEqualTo(checksum(1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void shouldGiveABlockBackThatAnOperatorFailsOn(int parallelism) {
    Scheduler workers = Schedulers.newParallel("test-operators", 1);
    try (Rows rows = new Rows(2, 8, 4)) {
      // Its third column is in no block of two: whoever works on it fails.
      FeaturePlan plan =
          new FeaturePlan(
              Rows.numbers(4), List.of(new FeatureConfig.Clip(List.of("number"), 0, 5000)));
      OperatorStage stage =
          new OperatorStage(
              plan, parallelism, workers, SystemNanoClock.INSTANCE, new StageMeter("operators"));
      Block block = rows.block(new PartitionCursor(0, 0, 0, 0), 0, 8);
      assertThatThrownBy(() -> stage.apply(Flux.just(block)).blockLast())
          .isInstanceOfAny(IndexOutOfBoundsException.class, IllegalStateException.class);
      assertThat(rows.pool.held()).isZero();
      stage.dispose();
    } finally {
      workers.dispose();
    }
  }

  private static long checksum(int parallelism) {
    Scheduler workers = Schedulers.newParallel("test-operators", 4);
    FeaturePlan plan =
        new FeaturePlan(
            Rows.numbers(7),
            List.of(
                new FeatureConfig.Lag(List.of("x0", "x1", "y"), List.of(1, 400)),
                new FeatureConfig.Clip(List.of("x1", "x2"), 0, 5000),
                new FeatureConfig.Standardize(List.of("number"), 64)));
    try (Rows rows = new Rows(plan.schema(), 300, 64)) {
      OperatorStage stage =
          new OperatorStage(
              plan, parallelism, workers, SystemNanoClock.INSTANCE, new StageMeter("operators"));
      PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
      Long sum =
          stage
              .apply(Flux.fromIterable(rows.blocks(cursor, 0, 5000, new SplittableRandom(9))))
              .cast(Block.class)
              .map(FeaturePlanTest::hashAndRelease)
              .reduce(0L, (x, y) -> x * 31 + y)
              .block();
      Barrier barrier = new Barrier(0, 0);
      stage.apply(Flux.just(barrier)).blockLast();
      assertThat(barrier.state().scope("operators").scope("x1").scope("1").longs("count"))
          .as("rows up to the last boundary of 64")
          .containsExactly(4992);
      assertThat(rows.pool.held()).isZero();
      stage.dispose();
      return Objects.requireNonNull(sum);
    } finally {
      workers.dispose();
    }
  }

  @Test
  void shouldGoOnLookingBackOnceFrozen() {
    PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
    List<FeatureConfig> features = List.of(new FeatureConfig.Lag(List.of("number"), List.of(1, 3)));
    FeaturePlan learning = new FeaturePlan(Rows.numbers(2), features);
    FeaturePlan frozen = new FeaturePlan(Rows.numbers(2), features);
    frozen.freeze();
    try (Rows rows = new Rows(learning.schema(), 300, 64)) {
      List<Block> some = blocks(rows, cursor, 0, 500, new SplittableRandom(1));
      List<Block> same = blocks(rows, cursor, 0, 500, new SplittableRandom(1));
      for (int i = 0; i < some.size(); i++) {
        learning.process(some.get(i), 0, 1);
        frozen.process(same.get(i), 0, 1);
        assertThat(hashAndRelease(same.get(i))).isEqualTo(hashAndRelease(some.get(i)));
      }
    }
  }

  @Test
  void shouldLearnNothingOnceFrozen() {
    PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
    List<FeatureConfig> features = List.of(new FeatureConfig.Standardize(List.of("number"), 64));
    try (Rows rows = new Rows(3, 300, 64)) {
      FeaturePlan plan = new FeaturePlan(Rows.numbers(3), features);
      for (Block block : blocks(rows, cursor, 0, 1000, new SplittableRandom(4))) {
        plan.process(block, 0, 1);
        block.release();
      }
      State fitted = new State();
      plan.save(fitted);
      FeaturePlan applied = new FeaturePlan(Rows.numbers(3), features);
      applied.restore(fitted);

      plan.freeze();
      for (Block block : blocks(rows, cursor, 1000, 1500, new SplittableRandom(5))) {
        plan.process(block, 0, 1);
        long hash = hashAndRelease(block);
        assertThat(hash).isNotZero();
      }
      State after = new State();
      plan.save(after);
      assertThat(after).isEqualTo(fitted);

      List<Block> frozen = blocks(rows, cursor, 0, 300, new SplittableRandom(6));
      List<Block> same = blocks(rows, cursor, 0, 300, new SplittableRandom(6));
      for (int i = 0; i < frozen.size(); i++) {
        plan.process(frozen.get(i), 0, 1);
        applied.apply(same.get(i));
        assertThat(hashAndRelease(frozen.get(i))).isEqualTo(hashAndRelease(same.get(i)));
      }
    }
  }

  private static List<Block> blocks(
      Rows rows, PartitionCursor cursor, int from, int to, SplittableRandom random) {
    return rows.blocks(cursor, from, to, random).stream().map(Block.class::cast).toList();
  }

  private static long hashAndRelease(Block block) {
    long hash = 0;
    for (int column = 0; column < block.layout().schema().allColumns().size(); column++) {
      for (int row = 0; row < block.rows(); row++) {
        float value = Values.getFloat(block.memory(), block.layout().columnOffset(column), row);
        hash += (block.nextRow() - row) * (column + 1) * Float.floatToRawIntBits(value);
      }
    }
    block.release();
    return hash;
  }

  @Test
  void shouldFillInMissingValuesBeforeTheyAreStandardized() {
    FeaturePlan plan =
        new FeaturePlan(
            schema(new Column("x", Kind.NUMBER, true)),
            List.of(
                new FeatureConfig.Impute(List.of("x"), Imputation.MEAN, 0, 64),
                new FeatureConfig.Standardize(List.of("x"), 64)));
    assertThat(plan.features()).isEqualTo(1);
    assertThat(
            FeaturePlan.nullable(
                List.of(new FeatureConfig.Impute(List.of("x"), Imputation.LAST, 0, 64)),
                new Column("x", Kind.NUMBER, false)))
        .isTrue();
  }

  /** Rows of x and the label as all of a plan's features, in blocks of random lengths; restored after each where asked. */
  private static List<float[]> features(
      BlockSchema data, List<FeatureConfig> steps, SplittableRandom random, boolean restore) {
    FeaturePlan plan = new FeaturePlan(data, steps);
    List<float[]> features = new ArrayList<>();
    SlotLayout layout = SlotLayout.of(64, plan.features());
    Slot slot = new Slot(layout, MemorySegment.ofArray(new long[(int) layout.byteSize() / 8]));
    try (Rows rows = new Rows(plan.schema(), 50, 200)) {
      PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
      for (StreamItem item : rows.blocks(cursor, 0, 1000, random)) {
        Block block = (Block) item;
        plan.process(block, 0, 1);
        plan.write(block, 0, block.rows(), slot.memory(), layout, 5);
        for (int row = 0; row < block.rows(); row++) {
          float[] values = new float[plan.features()];
          for (int f = 0; f < values.length; f++) {
            values[f] = slot.feature(f, 5 + row);
          }
          features.add(values);
        }
        block.release();
        if (restore) {
          State state = new State();
          plan.save(state);
          plan = new FeaturePlan(data, steps);
          plan.restore(state);
        }
      }
    }
    return features;
  }

  @Test
  void shouldLagWhatTheStepsBeforeHaveMadeAndLetThoseBehindSelectIt() {
    List<FeatureConfig> steps =
        List.of(
            new FeatureConfig.Clip(List.of("x0"), 0, 600),
            new FeatureConfig.Lag(List.of("x0", "y"), List.of(1, 3)),
            new FeatureConfig.Clip(List.of("x0"), 0, 300),
            new FeatureConfig.Clip(List.of("*~3"), 0, 4));

    FeaturePlan plan = new FeaturePlan(Rows.numbers(1), steps);
    assertThat(plan.names()).containsExactly("x0", "x0~1", "x0~3", "y~1", "y~3");
    assertThat(plan.shares()).as("x0 and its lags, and the label's each").isEqualTo(3);

    List<float[]> rows = features(Rows.numbers(1), steps, new SplittableRandom(1), false);
    for (int i = 0; i < rows.size(); i++) {
      float x1 = i < 1 ? 0 : Rows.value(i - 1, 0);
      float x3 = i < 3 ? 0 : Rows.value(i - 3, 0);
      assertThat(rows.get(i))
          .as("row %d", i)
          .containsExactly(
              Math.min(300, Rows.value(i, 0)),
              Math.min(600, x1),
              Math.min(4, x3),
              i < 1 ? 0 : Rows.label(i - 1),
              i < 3 ? 0 : Math.min(4, Rows.label(i - 3)));
    }
  }

  @Test
  void shouldMakeAFeatureForEachClassOfALaggedLabelWithMoreThanTwo() {
    BlockSchema schema =
        new BlockSchema(Rows.numbers(1).columns(), new Label("y", 7, List.of()), "", "");
    List<FeatureConfig> steps = List.of(new FeatureConfig.Lag(List.of("y"), List.of(2)));

    assertThat(new FeaturePlan(schema, steps).names())
        .startsWith("x0", "y~2#0", "y~2#1")
        .hasSize(1 + 7);
    List<float[]> rows = features(schema, steps, new SplittableRandom(1), false);
    for (int i = 0; i < rows.size(); i++) {
      float[] expected = new float[8];
      expected[0] = Rows.value(i, 0);
      if (i >= 2) {
        expected[1 + (int) Rows.label(i - 2)] = 1;
      }
      assertThat(rows.get(i)).as("row %d", i).containsExactly(expected);
    }
  }

  @Test
  void shouldMakeTheSameFeaturesHoweverRowsAreCutAndRestored() {
    List<FeatureConfig> steps =
        List.of(
            new FeatureConfig.Lag(List.of("number", "y"), List.of(1, 60)),
            new FeatureConfig.Standardize(List.of("number"), 64));
    for (int seed = 0; seed < 10; seed++) {
      assertThat(features(Rows.numbers(2), steps, new SplittableRandom(seed), true))
          .usingRecursiveComparison()
          .isEqualTo(features(Rows.numbers(2), steps, new SplittableRandom(seed + 99), false));
    }
  }

  @Test
  void shouldPredictByTheLastRowsThatWereSeen() {
    List<FeatureConfig> steps = List.of(new FeatureConfig.Lag(List.of("x0", "y"), List.of(1, 2)));
    FeaturePlan plan = new FeaturePlan(Rows.numbers(1), steps);
    try (Rows rows = new Rows(plan.schema(), 50, 4)) {
      PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
      Block seen = rows.block(cursor, 0, 20);
      plan.process(seen, 0, 1);
      Block asked = rows.block(cursor, 70, 72);
      plan.apply(asked);
      for (int row = 0; row < 2; row++) {
        assertThat(value(asked, 1, row)).isEqualTo(Rows.value(19, 0));
        assertThat(value(asked, 2, row)).isEqualTo(Rows.value(18, 0));
        assertThat(value(asked, 3, row)).isEqualTo(Rows.label(19));
        assertThat(value(asked, 4, row)).isEqualTo(Rows.label(18));
      }
      seen.release();
      asked.release();
    }
  }

  private static float value(Block block, int column, int row) {
    return Values.getFloat(block.memory(), block.layout().columnOffset(column), row);
  }

  @Test
  void shouldPlanTheSameFromASchemaThatHasBeenPlannedAlready() {
    List<FeatureConfig> steps = List.of(new FeatureConfig.Lag(List.of("number"), List.of(1)));
    FeaturePlan plan = new FeaturePlan(Rows.numbers(1), steps);

    assertThat(new FeaturePlan(plan.schema(), steps).schema()).isEqualTo(plan.schema());
    assertThat(new FeaturePlan(plan.schema(), List.of()).names()).containsExactly("x0");
  }

  @Test
  void shouldRefuseALagWhoseNameIsTaken() {
    BlockSchema schema =
        schema(new Column("x", Kind.NUMBER, false), new Column("x~1", Kind.NUMBER, false));

    assertThatThrownBy(
            () -> new FeaturePlan(schema, List.of(new FeatureConfig.Lag(List.of("x"), List.of(1)))))
        .hasMessageContaining("a column 'x~1' already");
  }

  @Test
  void shouldMakeFeaturesOfNumbersCategoriesAndTimes() {
    BlockSchema data =
        new BlockSchema(
            List.of(
                new Column("age", Kind.NUMBER, true),
                new Column("hour", Kind.NUMBER, true),
                new Column("city", Kind.CATEGORY, true),
                new Column("user", Kind.CATEGORY, true)),
            new Label("y", 2, List.of()),
            "",
            "at");
    FeaturePlan plan =
        new FeaturePlan(
            data,
            List.of(
                new FeatureConfig.Bucketize(List.of("age"), List.of(18.0, 65.0)),
                new FeatureConfig.Cyclical(List.of("hour"), 24.0, List.of(), "UTC"),
                new FeatureConfig.Cyclical(
                    List.of(), null, List.of(TimePart.HOUR_OF_DAY, TimePart.DAY_OF_WEEK), "+02:00"),
                new FeatureConfig.Dictionary(List.of("city"), 2, 1, 64),
                new FeatureConfig.Hash(List.of("category"), 2, true),
                new FeatureConfig.Standardize(List.of("number"), 64)));
    assertThat(plan.names())
        .containsExactly(
            "age#0",
            "age#1",
            "age#2",
            "hour.sin",
            "hour.cos",
            "city#0",
            "city#1",
            "city#other",
            "user#0",
            "user#1",
            "hourOfDay.sin",
            "hourOfDay.cos",
            "dayOfWeek.sin",
            "dayOfWeek.cos");

    SlotLayout layout = SlotLayout.of(8, plan.features());
    Slot slot = new Slot(layout, MemorySegment.ofArray(new long[(int) layout.byteSize() / 8]));
    try (Rows rows = new Rows(plan.schema(), 8, 4)) {
      Block block = rows.block(new PartitionCursor(0, 0, 0, 0), 0, 2);
      BlockLayout in = block.layout();
      long oslo = CategoryHash.of("Oslo");
      float missing = Float.NaN;
      set(block, 0, 64.9f, missing);
      set(block, 1, 18, missing);
      Values.setLong(block.memory(), in.columnOffset(2), 0, oslo);
      Values.setLong(block.memory(), in.columnOffset(2), 1, 0);
      Values.setLong(block.memory(), in.columnOffset(3), 0, oslo);
      Values.setLong(block.memory(), in.columnOffset(3), 1, 0);
      // A Sunday at 22:00 UTC is Monday, 0:00, two hours to the east; 6 hours later it is 6:00.
      long sunday = Instant.parse("2026-11-22T22:00:00Z").getEpochSecond() * 1_000_000_000;
      Values.setLong(block.memory(), in.timeOffset(), 0, sunday);
      Values.setLong(block.memory(), in.timeOffset(), 1, sunday + 6 * 3_600_000_000_000L);
      plan.process(block, 0, 1);
      plan.write(block, 0, 2, slot.memory(), layout, 0);
      block.release();
    }
    int hash = Hash.murmur3(CategoryHash.of("Oslo"));
    float[] user = new float[2];
    user[(hash & Integer.MAX_VALUE) % 2] = hash < 0 ? -1 : 1;
    double monday = 2 * Math.PI / 7;
    assertRow(
        slot,
        0,
        0,
        1,
        0,
        Math.sin(18 * Math.PI / 12),
        Math.cos(18 * Math.PI / 12),
        1,
        0,
        0,
        user[0],
        user[1],
        0,
        1,
        Math.sin(monday),
        Math.cos(monday));
    assertRow(slot, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, Math.sin(monday), Math.cos(monday));
  }

  /** The first two rows of a column. */
  private static void set(Block block, int column, float first, float second) {
    Values.setFloat(block.memory(), block.layout().columnOffset(column), 0, first);
    Values.setFloat(block.memory(), block.layout().columnOffset(column), 1, second);
  }

  private static void assertRow(Slot slot, int row, double... expected) {
    for (int f = 0; f < expected.length; f++) {
      assertThat((double) slot.feature(f, row)).as("%d", f).isCloseTo(expected[f], within(1e-6));
    }
  }

  @Test
  void shouldNameTheMissingEventTime() {
    FeatureConfig parts =
        new FeatureConfig.Cyclical(List.of(), null, List.of(TimePart.HOUR_OF_DAY), "UTC");

    assertThatThrownBy(() -> new FeaturePlan(Rows.numbers(1), List.of(parts)))
        .hasMessageContaining("schema.eventTime");
  }

  @Test
  void shouldRefuseToWorkByNameOnWhatIsFeaturesAlready() {
    FeatureConfig bucketize = new FeatureConfig.Bucketize(List.of("x0"), List.of(0.0));

    assertThatThrownBy(
            () ->
                new FeaturePlan(
                    Rows.numbers(1),
                    List.of(bucketize, new FeatureConfig.MinMax(List.of("x0"), 64))))
        .hasMessageContaining("minMax cannot be applied to 'x0', which an earlier step has made");
    assertThat(
            new FeaturePlan(
                    Rows.numbers(2),
                    List.of(bucketize, new FeatureConfig.MinMax(List.of("number"), 64)))
                .names())
        .containsExactly("x0#0", "x0#1", "x1");
  }
}
