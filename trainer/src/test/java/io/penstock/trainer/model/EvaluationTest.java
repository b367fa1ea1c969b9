package io.penstock.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.trainer.model.ExactMetrics.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Metrics against {@link ExactMetrics}, over all rows and fading. */
class EvaluationTest {
  private static final long SEED = 20261125;
  private static final double EXACT = 1e-9;

  private final SplittableRandom random = new SplittableRandom(SEED);

  /** Streams of two classes. */
  enum Stream {
    RANDOM(6_000, 0.5, 1.5),
    USELESS(6_000, 0.3, 0),
    SKEWED(60_000, 0.001, 1),
    SORTED(6_000, 0.4, 1.5),
    CONSTANT(3_000, 0.2, 0),
    SEPARABLE(3_000, 0.3, 20);

    final int rows;
    final double share;

    /** How far the scores of class 1 lie above those of class 0, in standard deviations. */
    final double distance;

    Stream(int rows, double share, double distance) {
      this.rows = rows;
      this.share = share;
      this.distance = distance;
    }

    List<Row> rows(SplittableRandom random) {
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < rows(); i++) {
        int label = random.nextDouble() < share ? 1 : 0;
        rows.add(row(label, (float) score(label, random)));
      }
      if (this == SORTED) {
        rows.sort(Comparator.comparingDouble(Row::label));
      }
      return rows;
    }

    private int rows() {
      return rows;
    }

    private double score(int label, SplittableRandom random) {
      double odds = Math.log(share / (1 - share));
      return switch (this) {
        case CONSTANT -> odds;
        case SEPARABLE -> (label - 0.5) * distance + random.nextDouble(-9, 9);
        default -> odds + distance * (label - share) + random.nextGaussian();
      };
    }
  }

  private static Row row(int label, float score) {
    double margin = label == 1 ? score : -score;
    float loss = (float) (Math.max(-margin, 0) + Math.log1p(Math.exp(-Math.abs(margin))));
    return new Row(label, score > 0 ? 1 : 0, score, loss);
  }

  private static Evaluation evaluate(MetricsSpec spec, List<Row> rows) {
    TrainingState state = new TrainingState(spec);
    RowMetrics metrics = new RowMetrics(spec);
    for (Row row : rows) {
      metrics.add(
          state, (float) row.label(), (float) row.prediction(), (float) row.score(), row.loss());
    }
    return state.evaluation();
  }

  private static ExactMetrics exact(int classes, double fade, List<Row> rows) {
    ExactMetrics exact = new ExactMetrics(classes, fade);
    rows.forEach(exact::add);
    return exact;
  }

  private interface Check {
    void check(Metrics metrics, ExactMetrics exact);
  }

  private static void check(int classes, int window, List<Row> rows, Check check) {
    MetricsSpec spec = new MetricsSpec(classes, window);
    Evaluation evaluation = evaluate(spec, rows);
    assertThat(evaluation.rows()).isEqualTo(rows.size());
    check.check(evaluation.cumulative(), exact(classes, 1, rows));
    check.check(evaluation.windowed(), exact(classes, spec.fade(), rows));
  }

  @ParameterizedTest
  @EnumSource(Stream.class)
  void shouldFindTheAreasUnderBothCurvesWithinTheErrorTold(Stream stream) {
    for (int window : new int[] {300, 5_000}) {
      check(
          2,
          window,
          stream.rows(random),
          (metrics, exact) -> {
            double auc = metrics.model().auc();
            double prAuc = metrics.model().prAuc();
            if (Double.isNaN(auc)) {
              // Sorted rows, of which those of class 0 have faded away, still have some weight.
              assertThat(exact.auc(false)).isNaN();
              return;
            }
            assertThat(auc).isCloseTo(exact.auc(true), within(EXACT));
            assertThat(prAuc).isCloseTo(exact.averagePrecision(true), within(EXACT));
            assertThat(auc).isCloseTo(exact.auc(false), within(metrics.aucError() + EXACT));
            assertThat(prAuc)
                .isCloseTo(exact.averagePrecision(false), within(metrics.prAucError() + EXACT));
            assertThat(metrics.constant().auc()).isEqualTo(0.5);
            assertThat(metrics.constant().prAuc())
                .isCloseTo(exact.mean(i -> exact.label(i)), within(EXACT));
          });
    }
  }

  @ParameterizedTest
  @CsvSource({"RANDOM, 0.006, 0.01", "SKEWED, 0.009, 0.05", "SEPARABLE, 0, 0"})
  void shouldTellSmallErrorsOfAreas(Stream stream, double most, double mostOfPrecision) {
    Metrics metrics = evaluate(new MetricsSpec(2, 1000), stream.rows(random)).cumulative();
    assertThat(metrics.aucError()).isBetween(0.0, most);
    assertThat(metrics.prAucError()).isBetween(0.0, mostOfPrecision);
  }

  @Test
  void shouldTellSeparableClassesByAreasOfOne() {
    check(
        2,
        500,
        Stream.SEPARABLE.rows(random),
        (metrics, exact) -> {
          assertThat(metrics.model().auc()).isCloseTo(1, within(EXACT));
          assertThat(metrics.model().prAuc()).isCloseTo(1, within(EXACT));
        });
  }

  @Test
  void shouldTellConstantScoresByTheAreasOfChance() {
    check(
        2,
        500,
        Stream.CONSTANT.rows(random),
        (metrics, exact) -> {
          assertThat(metrics.model().auc()).isCloseTo(0.5, within(EXACT));
          assertThat(metrics.model().prAuc())
              .isCloseTo(exact.mean(i -> exact.label(i)), within(EXACT));
          assertThat(metrics.aucError()).isCloseTo(0.5, within(EXACT));
        });
  }

  @ParameterizedTest
  @EnumSource(Stream.class)
  void shouldScoreTwoClassesBesideTheirBaselines(Stream stream) {
    check(2, 400, stream.rows(random), EvaluationTest::checkClasses);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 7, 64, 70})
  void shouldScoreMoreClassesBesideTheirBaselines(int classes) {
    check(classes, 400, manyClasses(classes, false), EvaluationTest::checkClasses);
    check(classes, 400, manyClasses(classes, true), EvaluationTest::checkClasses);
  }

  /** Of which one is never there nor predicted, and one predicted but never there. */
  private List<Row> manyClasses(int classes, boolean sorted) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 4_000; i++) {
      int label = (int) (Math.pow(random.nextDouble(), 2) * (classes - 2));
      float sure = (float) (1.0 / classes + random.nextDouble() * (1 - 1.0 / classes));
      boolean right = random.nextDouble() < sure * 0.8;
      int prediction = right ? label : random.nextInt(classes - 1);
      rows.add(new Row(label, prediction, sure, (float) -Math.log(right ? sure : 0.1)));
    }
    if (sorted) {
      rows.sort(Comparator.comparingDouble(Row::label));
    }
    return rows;
  }

  private static void checkClasses(Metrics metrics, ExactMetrics exact) {
    double[] majorities = exact.majorities();
    checkClasses("model", metrics.model(), exact, exact::model);
    checkClasses("no change", metrics.noChange(), exact, exact::noChange);
    checkClasses("majority", metrics.constant(), exact, i -> majorities[i]);
    assertThat(metrics.model().logLoss()).isCloseTo(exact.logLoss(), within(EXACT));
    assertThat(metrics.constant().logLoss()).isCloseTo(exact.logLossOfShares(), within(EXACT));
    assertThat(metrics.model().calibrationError())
        .isCloseTo(exact.calibrationError(), within(1.2e-5 + 2 * exact.shareAtEdges()));
    Confusion confusion = metrics.confusion();
    if (confusion == null) {
      return;
    }
    for (int actual = 0; actual < confusion.classes(); actual++) {
      for (int predicted = 0; predicted < confusion.classes(); predicted++) {
        assertThat(confusion.rows(actual, predicted))
            .isCloseTo(exact.cell(actual, predicted), within(EXACT * exact.rows()));
      }
    }
  }

  private static void checkClasses(
      String who, Scores scores, ExactMetrics exact, ExactMetrics.OfRow said) {
    double[] expected = exact.precisionRecallF1(said);
    assertThat(scores.accuracy()).as(who).isCloseTo(exact.accuracy(said), within(EXACT));
    assertThat(scores.precision()).as(who).isCloseTo(expected[0], within(EXACT));
    assertThat(scores.recall()).as(who).isCloseTo(expected[1], within(EXACT));
    assertThat(scores.f1()).as(who).isCloseTo(expected[2], within(EXACT));
  }

  @Test
  void shouldKeepTheConfusionTableOfSoManyClassesAsCanBeRead() {
    assertThat(evaluate(new MetricsSpec(64, 10), manyClasses(64, false)).windowed().confusion())
        .isNotNull();
    assertThat(evaluate(new MetricsSpec(65, 10), manyClasses(65, false)).windowed().confusion())
        .isNull();
  }

  /** Sorted classes: what came last is right but for one row, what was most frequent is wrong for all of the second class. */
  @Test
  void shouldScoreBaselinesOfASortedStream() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      rows.add(row(i < 700 ? 0 : 1, 0.5f));
    }
    Metrics metrics = evaluate(new MetricsSpec(2, 100), rows).cumulative();
    assertThat(metrics.noChange().accuracy()).isEqualTo(998 / 1000.0);
    assertThat(metrics.noChange().recall()).isEqualTo(299 / 300.0);
    assertThat(metrics.noChange().precision()).isEqualTo(1);
    assertThat(metrics.constant().accuracy()).isEqualTo(699 / 1000.0);
    assertThat(metrics.constant().f1()).isZero();
    assertThat(metrics.model().recall()).isEqualTo(1);
    assertThat(metrics.model().precision()).isEqualTo(0.3);
  }

  enum Numbers {
    NOISE,
    SORTED,
    SKEWED,
    FAR_FROM_ZERO,
    CONSTANT
  }

  @ParameterizedTest
  @EnumSource(Numbers.class)
  void shouldScoreNumbersBesideTheirBaselines(Numbers stream) {
    check(
        0,
        300,
        numbers(stream),
        (metrics, exact) -> {
          double[] means = exact.means();
          double ofMean = exact.squaredError(i -> means[i]);
          checkNumbers(metrics.model(), exact, exact::model, ofMean);
          checkNumbers(metrics.noChange(), exact, exact::noChange, ofMean);
          checkNumbers(metrics.constant(), exact, i -> means[i], ofMean);
          assertThat(metrics.constant().r2()).isZero();
          assertThat(metrics.accuracy()).isNaN();
          assertThat(metrics.confusion()).isNull();
        });
  }

  private List<Row> numbers(Numbers stream) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      double label =
          switch (stream) {
            case NOISE -> random.nextGaussian();
            case SORTED -> i / 100.0;
            case SKEWED -> random.nextInt(1000) == 0 ? 1000 : random.nextDouble();
            case FAR_FROM_ZERO -> 1e6 + random.nextGaussian();
            case CONSTANT -> 7;
          };
      float prediction = (float) (label + random.nextGaussian());
      rows.add(new Row((float) label, prediction, 0, random.nextDouble()));
    }
    return rows;
  }

  private static void checkNumbers(
      Scores scores, ExactMetrics exact, ExactMetrics.OfRow said, double ofMean) {
    double squares = exact.squaredError(said);
    assertThat(scores.mae())
        .isCloseTo(exact.mean(i -> Math.abs(said.of(i) - exact.label(i))), close(scores.mae()));
    assertThat(scores.rmse()).isCloseTo(Math.sqrt(squares), close(scores.rmse()));
    assertThat(scores.r2()).isCloseTo(1 - squares / ofMean, close(squares / ofMean));
  }

  private static org.assertj.core.data.Offset<Double> close(double scale) {
    return within(1e-7 * scale);
  }

  /** A run so long that weights are made smaller many times. */
  @Test
  void shouldFadeTheSameHoweverManyRowsCameBefore() {
    MetricsSpec spec = new MetricsSpec(2, 3);
    List<Row> rows = Stream.RANDOM.rows(random);
    List<Row> last = rows.subList(rows.size() - 200, rows.size());
    Metrics all = evaluate(spec, rows).windowed();
    Metrics few = evaluate(spec, last).windowed();
    assertThat(all.accuracy()).isCloseTo(few.accuracy(), within(EXACT));
    assertThat(all.model().auc()).isCloseTo(few.model().auc(), within(EXACT));
    assertThat(all.model().calibrationError())
        .isCloseTo(few.model().calibrationError(), within(EXACT));
  }

  @Test
  void shouldTellNothingBeforeTheFirstRow() {
    Supplier<Evaluation> none = () -> new TrainingState(new MetricsSpec(2, 10)).evaluation();
    assertThat(none.get().cumulative()).isEqualTo(Metrics.NONE);
    assertThat(none.get().windowed()).isEqualTo(Metrics.NONE);
  }

  @Test
  void shouldTellNoAreaOfOneClass() {
    Metrics metrics = evaluate(new MetricsSpec(2, 10), List.of(row(1, 0.3f))).cumulative();
    assertThat(metrics.model().auc()).isNaN();
    assertThat(metrics.model().prAuc()).isNaN();
    assertThat(metrics.model().recall()).isEqualTo(1);
  }
}
