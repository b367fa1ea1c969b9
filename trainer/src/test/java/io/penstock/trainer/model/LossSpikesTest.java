package io.penstock.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LossSpikesTest {
  private static final long SEED = 20261125;

  private final TrainingState state = new TrainingState(new MetricsSpec(0, 10));
  private final SplittableRandom random = new SplittableRandom(SEED);

  private boolean judge(double loss, double lossSpike) {
    return LossSpikes.judge(state, loss, lossSpike);
  }

  /** Losses of mean 2 and standard deviation 0.1. */
  private void judgeOrdinary(int steps, double lossSpike) {
    for (int step = 0; step < steps; step++) {
      judge(2 + 0.1 * random.nextGaussian(), lossSpike);
    }
  }

  @Test
  void shouldHaveNeitherMeanNorSpreadBeforeTheFirstStep() {
    assertThat(state.lossMean()).isNaN();
    assertThat(state.lossSpread()).isNaN();
  }

  /** By the definition: weights that add up to 1, and the mean of squared differences from the mean. */
  @Test
  void shouldKeepMeanAndVarianceOfFadingWeights() {
    List<Double> losses = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    for (int step = 1; step <= 1000; step++) {
      double loss = Math.exp(random.nextGaussian());
      judge(loss, 0);
      double share = step < 256 ? 1.0 / step : 1.0 / 256;
      weights.replaceAll(weight -> weight * (1 - share));
      weights.add(share);
      losses.add(loss);
      double mean = 0;
      for (int i = 0; i < step; i++) {
        mean += weights.get(i) * losses.get(i);
      }
      double variance = 0;
      for (int i = 0; i < step; i++) {
        variance += weights.get(i) * (losses.get(i) - mean) * (losses.get(i) - mean);
      }
      double tolerance = 8 * step * Math.ulp(1.0);
      assertThat(state.lossMean()).as("step %d", step).isCloseTo(mean, within(tolerance * mean));
      assertThat(state.values()[TrainingState.LOSS_VARIANCE])
          .as("step %d", step)
          .isCloseTo(variance, within(tolerance * Math.max(1, variance)));
    }
  }

  @Test
  void shouldTellASpikeFromALossWithinTheBound() {
    judgeOrdinary(500, 5);
    double bound = state.lossMean() + 5 * state.lossSpread();
    TrainingState before = new TrainingState(state.spec());
    before.set(state);

    assertThat(judge(bound + 1e-9, 5)).isTrue();
    state.set(before);
    assertThat(judge(bound - 1e-9, 5)).isFalse();
    assertThat(judge(-1000, 5)).as("a loss far below").isFalse();
  }

  @Test
  void shouldNotCountASpike() {
    judgeOrdinary(100, 5);
    TrainingState before = new TrainingState(state.spec());
    before.set(state);

    assertThat(judge(1e30, 5)).isTrue();
    assertThat(state.values()).isEqualTo(before.values());
    assertThat(state.counters()[TrainingState.LOSS_STEPS]).isEqualTo(100);
  }

  @ParameterizedTest
  @CsvSource({"31, 5, false", "32, 5, true", "500, 0, false"})
  void shouldJudgeOnlyWhereAskedToAndAfterEnoughSteps(int steps, double lossSpike, boolean spike) {
    judgeOrdinary(steps, lossSpike);
    assertThat(judge(1000, lossSpike)).isEqualTo(spike);
  }

  @ParameterizedTest
  @CsvSource({"0, 1e-6", "2, 0.020001", "1e-9, 1.00001e-6"})
  void shouldNotTakeTheNoiseOfALossThatHardlyVariesForSpikes(double loss, double spread) {
    for (int step = 0; step < 100; step++) {
      judge(loss, 3);
    }
    assertThat(state.lossSpread()).isCloseTo(spread, within(1e-12));
    assertThat(judge(loss + 2.9 * spread, 3)).isFalse();
    assertThat(judge(loss + 3.1 * spread + 1e-3 * spread, 3)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"4, 2.5", "4, 20", "6, 1000", "10, 20", "3, 20"})
  void shouldAcceptALastingChangeAndJudgeByIt(double lossSpike, double loss) {
    judgeOrdinary(1000, lossSpike);
    int spikes = 0;
    while (judge(loss, lossSpike)) {
      spikes++;
    }
    assertThat(spikes).isEqualTo(128);
    for (int step = 0; step < 100; step++) {
      assertThat(judge(loss, lossSpike)).isFalse();
    }
    assertThat(judge(2 * loss, lossSpike)).isTrue();
    assertThat(judge(loss, lossSpike)).isFalse();
  }

  @Test
  void shouldNotAcceptWhatIsBrokenByOrdinaryLosses() {
    judgeOrdinary(1000, 6);
    for (int round = 0; round < 10; round++) {
      for (int step = 0; step < 127; step++) {
        assertThat(judge(1000, 6)).isTrue();
      }
      assertThat(judge(2, 6)).isFalse();
    }
  }

  @Test
  void shouldStillTellASpikeAfterAnother() {
    judgeOrdinary(1000, 6);
    assertThat(judge(1000, 6)).isTrue();
    judgeOrdinary(10, 6);
    assertThat(judge(1000, 6)).isTrue();
    assertThat(judge(2, 6)).isFalse();
  }
}
