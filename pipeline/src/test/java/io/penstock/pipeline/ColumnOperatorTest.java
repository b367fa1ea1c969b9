package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.FeatureConfig.Imputation;
import io.penstock.pipeline.BlockSchema.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ColumnOperatorTest {
  private static final int ROWS = 1000;

  private static float[] numbers(SplittableRandom random, double missing) {
    float[] values = new float[ROWS];
    double level = random.nextDouble(-1e4, 1e4);
    for (int i = 0; i < ROWS; i++) {
      values[i] =
          random.nextDouble() < missing ? Float.NaN : (float) (level + 3 * random.nextGaussian());
    }
    return values;
  }

  /** Passes the values in pieces: cut at random rows, and saved and restored there. */
  private static float[] pass(
      Supplier<ColumnOperator> factory, float[] values, SplittableRandom random, boolean restore) {
    float[] out = new float[values.length];
    ColumnOperator operator = factory.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(values.length * 4L + 64);
      for (int from = 0; from < values.length; ) {
        int to = Math.min(values.length, from + random.nextInt(1, 200));
        for (int i = from; i < to; i++) {
          Values.setFloat(memory, 12, i - from, values[i]);
        }
        operator.process(memory, 12, to - from);
        for (int i = from; i < to; i++) {
          out[i] = Values.getFloat(memory, 12, i - from);
        }
        if (restore) {
          State state = new State();
          operator.save(state);
          operator = factory.get();
          operator.restore(state);
        }
        from = to;
      }
    }
    return out;
  }

  private static void assertCutsChangeNothing(Supplier<ColumnOperator> factory, double missing) {
    for (long seed = 1; seed <= 40; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      float[] values = numbers(random, missing);
      float[] once = pass(factory, values, new SplittableRandom(seed + 100), false);
      float[] cut = pass(factory, values, new SplittableRandom(seed + 200), true);
      assertThat(cut).as("seed %d", seed).containsExactly(once);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 64, 256})
  void shouldStandardizeAlikeHoweverRowsAreCutAndRestored(int updateEvery) {
    assertCutsChangeNothing(() -> new Standardize(updateEvery, false), 0);
    assertCutsChangeNothing(() -> new Standardize(updateEvery, true), 0.2);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64})
  void shouldImputeAlikeHoweverRowsAreCutAndRestored(int updateEvery) {
    for (Imputation with : Imputation.values()) {
      assertCutsChangeNothing(() -> new Impute(with, 4.5, updateEvery), 0.3);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 300})
  void shouldGiveEachRowTheValueOfSoManyRowsBeforeHoweverRowsAreCutAndRestored(int by) {
    assertCutsChangeNothing(() -> new Lag(by, Kind.NUMBER, 0), 0.2);
    float[] values = numbers(new SplittableRandom(by), 0.2);
    float[] lagged =
        pass(() -> new Lag(by, Kind.NUMBER, 0), values, new SplittableRandom(by), true);
    float[] expected = new float[ROWS];
    System.arraycopy(values, 0, expected, by, ROWS - by);
    assertThat(lagged).containsExactly(expected);
  }

  @Test
  void shouldGiveRowsToBePredictedTheValueBeforeTheNextRow() {
    Lag lag = new Lag(2, Kind.CATEGORY, 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(24);
      for (int row = 0; row < 3; row++) {
        Values.setLong(memory, 0, row, 10 + row);
      }
      lag.process(memory, 0, 3);
      assertThat(Values.getLong(memory, 0, 2)).isEqualTo(10);
      lag.apply(memory, 0, 3);
      for (int row = 0; row < 3; row++) {
        assertThat(Values.getLong(memory, 0, row)).isEqualTo(11);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 64})
  void shouldScaleByTheRangeOfTheLastBoundaryHoweverRowsAreCutAndRestored(int updateEvery) {
    assertCutsChangeNothing(() -> new MinMax(updateEvery), 0.2);
    for (long seed = 1; seed <= 20; seed++) {
      float[] values = numbers(new SplittableRandom(seed), 0.1);
      float[] actual =
          pass(() -> new MinMax(updateEvery), values, new SplittableRandom(seed), false);
      float[] expected = new float[ROWS];
      for (int i = 0; i < ROWS; i++) {
        int rows = updateEvery == 1 || i < updateEvery ? i + 1 : i / updateEvery * updateEvery;
        expected[i] = (float) scaled(values, rows, values[i]);
      }
      assertThat(actual).as("seed %d", seed).containsExactly(expected);
    }
  }

  private static double scaled(float[] values, int rows, double x) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < rows; i++) {
      if (!Float.isNaN(values[i])) {
        min = Math.min(min, values[i]);
        max = Math.max(max, values[i]);
      }
    }
    if (Double.isNaN(x)) {
      return x;
    }
    return max > min ? Math.min(1, Math.max(0, (x - min) / (max - min))) : 0;
  }

  @Test
  void shouldScaleTheWholeRangeOfFloats() {
    float[] values = {-Float.MAX_VALUE, Float.MAX_VALUE, 0};
    assertThat(pass(() -> new MinMax(1), values, new SplittableRandom(1), false))
        .containsExactly(0, 1, 0.5f);
  }

  @Test
  void shouldTakeTheLogarithmOfTheMagnitudeAndKeepTheSign() {
    SplittableRandom random = new SplittableRandom(1);
    float[] values = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(-30, 30)));
    }
    values[0] = Float.NaN;
    values[1] = -0.0f;
    float[] actual = pass(Log1p::new, values, random, false);
    assertThat(actual[0]).isNaN();
    for (int i = 1; i < ROWS; i++) {
      double expected = Math.signum(values[i]) * Math.log1p(Math.abs((double) values[i]));
      assertThat((double) actual[i]).isCloseTo(expected, within(Math.ulp((float) expected) * 1.0));
    }
  }

  @Test
  void shouldPutAValueAtABoundIntoTheBucketThatBeginsThere() {
    float[] values = {-9, 0.0f, -0.0f, 0.69f, 0.7f, 0.71f, 4, 1e9f, Float.NaN};
    // 0.7 as a float is less than 0.7: it is at the bound all the same.
    assertThat(
            pass(
                () -> new Bucketize(List.of(0.0, 0.7, 4.0)),
                values,
                new SplittableRandom(1),
                false))
        .containsExactly(1, 2, 2, 2, 3, 3, 4, 4, 0);
  }

  @Test
  void shouldReduceNumbersToTheirPlaceWithinThePeriod() {
    float[] values = {0, 6, 12, 23, 24, 30, -6, Float.NaN};
    assertThat(pass(() -> new Cyclical(24), values, new SplittableRandom(1), false))
        .containsExactly(0, 0.25f, 0.5f, (float) (23 / 24.0), 0, 0.25f, 0.75f, Float.NaN);
  }

  @Test
  void shouldStandardizeAlikeWhetherValuesMayBeMissingOrNot() {
    float[] values = numbers(new SplittableRandom(5), 0);
    assertThat(pass(() -> new Standardize(64, true), values, new SplittableRandom(1), false))
        .containsExactly(
            pass(() -> new Standardize(64, false), values, new SplittableRandom(2), false));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 64})
  void shouldStandardizeByTheStatisticsOfTheLastBoundary(int updateEvery) {
    for (long seed = 1; seed <= 20; seed++) {
      float[] values = numbers(new SplittableRandom(seed), 0.1);
      float[] actual =
          pass(() -> new Standardize(updateEvery, true), values, new SplittableRandom(seed), false);
      for (int i = 0; i < ROWS; i++) {
        int rows = updateEvery == 1 || i < updateEvery ? i + 1 : i / updateEvery * updateEvery;
        double expected = standardized(values, rows, values[i]);
        // Inputs near 1e4 carry an error of 2^-24 * 1e4; beside a deviation of about 3 that is
        // 2e-4.
        assertThat((double) actual[i])
            .as("seed %d row %d", seed, i)
            .satisfies(
                a -> {
                  if (Double.isNaN(expected)) {
                    assertThat(a).isNaN();
                  } else {
                    assertThat(a).isCloseTo(expected, within(1e-3 * (1 + Math.abs(expected))));
                  }
                });
      }
    }
  }

  private static double standardized(float[] values, int rows, float x) {
    double n = 0;
    double sum = 0;
    for (int i = 0; i < rows; i++) {
      if (!Float.isNaN(values[i])) {
        n++;
        sum += values[i];
      }
    }
    double squares = 0;
    for (int i = 0; i < rows; i++) {
      if (!Float.isNaN(values[i])) {
        squares += (values[i] - sum / n) * (values[i] - sum / n);
      }
    }
    double deviation = Math.sqrt(squares / n);
    return Float.isNaN(x) ? Double.NaN : deviation > 0 ? (x - sum / n) / deviation : 0;
  }

  @Test
  void shouldKeepPrecisionWhereTheMeanIsLargeBesideTheDeviation() {
    SplittableRandom random = new SplittableRandom(3);
    float[] values = new float[100_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (1e6 + 0.25 + random.nextInt(-8, 9) / 4.0);
    }
    float[] out = pass(() -> new Standardize(64, false), values, random, false);
    double sum = 0;
    double squares = 0;
    int from = 50_000;
    for (int i = from; i < out.length; i++) {
      sum += out[i];
      squares += out[i] * (double) out[i];
    }
    int n = out.length - from;
    assertThat(sum / n).isCloseTo(0, within(0.02));
    assertThat(squares / n).isCloseTo(1, within(0.02));
  }

  @Test
  void shouldGiveZeroForAConstantColumn() {
    float[] values = new float[300];
    java.util.Arrays.fill(values, 7.3f);
    assertThat(pass(() -> new Standardize(64, false), values, new SplittableRandom(1), false))
        .containsOnly(0f);
  }

  @Test
  void shouldClipToItsRangeAndLetMissingValuesBe() {
    float[] values = {-5, 0.5f, 9, Float.NaN};
    assertThat(pass(() -> new Clip(-1, 2), values, new SplittableRandom(1), false))
        .containsExactly(-1, 0.5f, 2, Float.NaN);
  }

  @Test
  void shouldImputeZeroBeforeTheFirstValueAndTheLastValueAfterIt() {
    float[] values = {Float.NaN, 3, Float.NaN, 4, Float.NaN};
    assertThat(
            pass(() -> new Impute(Imputation.LAST, 0, 64), values, new SplittableRandom(1), false))
        .containsExactly(0, 3, 3, 4, 4);
  }

  @Test
  void shouldImputeTheMeanOfTheLastBoundary() {
    float[] values = {1, Float.NaN, 3, Float.NaN, Float.NaN, 11, 11, Float.NaN, Float.NaN};
    // Row by row up to row 2; then by the means after 2, 4, 6 and 8 rows.
    assertThat(
            pass(() -> new Impute(Imputation.MEAN, 0, 2), values, new SplittableRandom(1), false))
        .containsExactly(1, 1, 3, 2 - 1, 2, 11, 11, 5, 6.5f);
  }

  private static long[] oneHot(OneHot operator, long... hashes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(hashes.length * 8L);
      for (int i = 0; i < hashes.length; i++) {
        Values.setLong(memory, 0, i, hashes[i]);
      }
      operator.process(memory, 0, hashes.length);
      long[] out = new long[hashes.length];
      for (int i = 0; i < hashes.length; i++) {
        out[i] = Values.getLong(memory, 0, i);
      }
      return out;
    }
  }

  @Test
  void shouldNumberCategoriesByFirstAppearanceUpToTheCapacity() {
    OneHot operator = new OneHot(List.of(), 2, 1);
    assertThat(oneHot(operator, 50, 60, 50, 70, 0, 60)).containsExactly(1, 2, 1, 0, 0, 2);
  }

  @Test
  void shouldUseACategoryOnlyFromTheBoundaryAfterItsFirstAppearance() {
    OneHot operator = new OneHot(List.of(), 8, 3);
    assertThat(oneHot(operator, 5, 6, 7, 8, 8, 5, 8)).containsExactly(1, 2, 3, 0, 0, 1, 4);
  }

  @Test
  void shouldKnowDeclaredCategoriesFromTheStart() {
    OneHot operator = new OneHot(List.of("Oslo", "Paris"), 0, 64);
    assertThat(oneHot(operator, CategoryHash.of("Paris"), CategoryHash.of("Rome")))
        .containsExactly(2, 0);
    assertThat(operator.encoding()).isEqualTo(Encoding.Indicators.numbered(2, true));
  }

  @Test
  void shouldRestoreCategoriesInTheMiddleOfAChunk() {
    OneHot whole = new OneHot(List.of(), 8, 3);
    OneHot first = new OneHot(List.of(), 8, 3);
    long[] head = {5, 6, 7, 8};
    oneHot(whole, head);
    oneHot(first, head);
    State state = new State();
    first.save(state);
    OneHot second = new OneHot(List.of(), 8, 3);
    second.restore(state);
    assertThat(oneHot(second, 8, 9, 8, 9)).containsExactly(oneHot(whole, 8, 9, 8, 9));
  }

  private static State saved(ColumnOperator operator) {
    State state = new State();
    operator.save(state);
    return state;
  }

  /** Behind a boundary, {@code process} rewrites by the state that {@code apply} uses, too. */
  private static void assertAppliedAsProcessed(ColumnOperator operator, MemorySegment memory) {
    operator.process(memory, 0, 128);
    State before = saved(operator);
    byte[] next = memory.asSlice(1024, 512).toArray(ValueLayout.JAVA_BYTE);
    operator.apply(memory, 1024, 64);
    byte[] applied = memory.asSlice(1024, 512).toArray(ValueLayout.JAVA_BYTE);
    assertThat(saved(operator)).isEqualTo(before);
    MemorySegment.copy(next, 0, memory, ValueLayout.JAVA_BYTE, 1024, 512);
    operator.process(memory, 1024, 64);
    assertThat(applied)
        .isEqualTo(memory.asSlice(1024, 512).toArray(ValueLayout.JAVA_BYTE))
        .isNotEqualTo(next);
  }

  @Test
  void shouldApplyWhatWasLearntAndLearnNothing() {
    SplittableRandom random = new SplittableRandom(3);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(1536);
      for (ColumnOperator operator :
          List.of(
              new Standardize(64, true),
              new Impute(Imputation.MEAN, 0, 64),
              new Clip(-0.5, 0.5),
              new MinMax(64),
              new Log1p(),
              new Bucketize(List.of(-1.0, 1.0)),
              new Cyclical(2.5))) {
        for (int i = 0; i < 384; i++) {
          float x = random.nextInt(5) == 0 ? Float.NaN : (float) random.nextGaussian();
          Values.setFloat(memory, 0, i, x);
        }
        assertAppliedAsProcessed(operator, memory);
      }
      for (int i = 0; i < 192; i++) {
        Values.setLong(memory, 0, i, random.nextInt(40));
      }
      assertAppliedAsProcessed(new OneHot(List.of(), 16, 64), memory);
    }
  }

  @Test
  void shouldApplyWhatWasLearntOfCategories() {
    SplittableRandom random = new SplittableRandom(3);
    for (ColumnOperator operator : List.of(new Hash(16, true), new Dictionary(16, 2, 64))) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(1536);
        for (int i = 0; i < 192; i++) {
          Values.setLong(memory, 0, i, random.nextInt(40));
        }
        assertAppliedAsProcessed(operator, memory);
      }
    }
  }
}
