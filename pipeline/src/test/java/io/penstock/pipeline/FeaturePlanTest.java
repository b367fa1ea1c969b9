package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
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
        .hasMessageContaining("Clip cannot be applied to 'c', a category");
    assertThatThrownBy(() -> new FeaturePlan(schema(new Column("x", Kind.NUMBER, true)), List.of()))
        .hasMessageContaining("'x' may be missing but no impute");
  }

  @Test
  void shouldSelectByTypeNameAndPattern() {
    assertThat(FieldSelector.selects(List.of("number"), "x", Kind.NUMBER)).isTrue();
    assertThat(FieldSelector.selects(List.of("Wild*"), "Wilderness_Area1", Kind.FLAG)).isTrue();
    assertThat(FieldSelector.selects(List.of("a.c"), "abc", Kind.FLAG)).isFalse();
    assertThat(FieldSelector.selects(List.of("*time"), "event_time", Kind.NUMBER)).isTrue();
    assertThat(FieldSelector.selects(List.of("y"), "x", Kind.NUMBER)).isFalse();
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
          .hasMessageContaining("ndex");
      assertThat(rows.pool.held()).isZero();
      stage.dispose();
    } finally {
      workers.dispose();
    }
  }

  private static long checksum(int parallelism) {
    Scheduler workers = Schedulers.newParallel("test-operators", 4);
    try (Rows rows = new Rows(7, 300, 64)) {
      FeaturePlan plan =
          new FeaturePlan(
              Rows.numbers(7),
              List.of(
                  new FeatureConfig.Clip(List.of("x1", "x2"), 0, 5000),
                  new FeatureConfig.Standardize(List.of("number"), 64)));
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

  private static long hashAndRelease(Block block) {
    long hash = 0;
    for (int column = 0; column < 7; column++) {
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
}
