package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.TrainingState;

/**
 * Verdicts on finite losses, and the fading mean and variance that they come from (Finch, 2009), which must be a device's to the
 * bit: all of it is double arithmetic, with FMA at the same places.
 */
final class ReferenceLosses {
  private final double lossSpike;
  private long steps;
  private long spikes;
  private double mean;
  private double variance;

  ReferenceLosses(double lossSpike) {
    this.lossSpike = lossSpike;
  }

  /** Above which a loss is a spike. */
  double bound() {
    double spread = Math.max(Math.sqrt(variance), Math.fma(0.01, Math.abs(mean), 1e-6));
    return Math.fma(lossSpike, spread, mean);
  }

  /** What must become of a step of this loss; counts it. */
  Status judge(double loss) {
    boolean spike = lossSpike > 0 && steps >= 32 && loss > bound();
    if (spike) {
      if (++spikes == 128) {
        spikes = 0;
        steps = 0;
        mean = 0;
        variance = 0;
      }
      return Status.SPIKE;
    }
    spikes = 0;
    steps++;
    double share = Math.max(1.0 / steps, 1.0 / 256);
    double d = loss - mean;
    mean = Math.fma(share, d, mean);
    variance = (1 - share) * Math.fma(share * d, d, variance);
    return Status.APPLIED;
  }

  void check(TrainingState state, String what) {
    assertThat(state.counters()[TrainingState.LOSS_STEPS]).as(what).isEqualTo(steps);
    assertThat(state.counters()[TrainingState.SPIKES_IN_A_ROW]).as(what).isEqualTo(spikes);
    assertThat(state.values()[TrainingState.LOSS_MEAN]).as("%s: mean", what).isEqualTo(mean);
    assertThat(state.values()[TrainingState.LOSS_VARIANCE])
        .as("%s: variance", what)
        .isEqualTo(variance);
  }
}
