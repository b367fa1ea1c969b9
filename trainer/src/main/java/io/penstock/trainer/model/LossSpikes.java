package io.penstock.trainer.model;

/**
 * Judges a step by its loss, against mean and variance of the losses of the finite steps before it. The newest weighs 1/n of n
 * steps, from the 256th on 1/256, and what came before fades (Finch, 2009, "Incremental calculation of weighted mean and
 * variance"). Spikes are not counted; but after so many in a row the change is a lasting one, and counting begins anew.
 *
 * <p>In doubles, with FMA where it is written: the same loss has the same verdict on every device. spikes.cuh is this class for
 * cuda.
 */
public final class LossSpikes {
  /** Steps before the first that is judged. */
  public static final int LEAST_STEPS = 32;

  /** From this step on, the newest loss weighs as much as one of so many. */
  public static final int WINDOW_STEPS = 256;

  /** Spikes in a row that are taken for a lasting change. */
  public static final int MOST_IN_A_ROW = 128;

  /** What the spread is at least, by the mean: losses that hardly vary must not make spikes of their noise. */
  public static final double LEAST_SPREAD_OF_MEAN = 0.01;

  /** What it is at least where the mean is 0. */
  public static final double LEAST_SPREAD = 1e-6;

  private LossSpikes() {}

  /** Root of the variance, but no less than is needed for a bound; 10⁻⁶ before the first step. */
  public static double spread(TrainingState state) {
    double[] values = state.values();
    double mean = values[TrainingState.LOSS_MEAN];
    double least = Math.fma(LEAST_SPREAD_OF_MEAN, Math.abs(mean), LEAST_SPREAD);
    return Math.max(Math.sqrt(values[TrainingState.LOSS_VARIANCE]), least);
  }

  /**
   * Judges the loss of a finite step and counts it.
   *
   * @param lossSpike how many times the spread above the mean a loss may lie; 0: wherever it likes
   * @return whether it lies above
   */
  public static boolean judge(TrainingState state, double loss, double lossSpike) {
    if (loss <= bound(state, lossSpike)) {
      count(state, loss);
      return false;
    }
    long[] counters = state.counters();
    if (++counters[TrainingState.SPIKES_IN_A_ROW] == MOST_IN_A_ROW) {
      counters[TrainingState.LOSS_STEPS] = 0;
      counters[TrainingState.SPIKES_IN_A_ROW] = 0;
      state.values()[TrainingState.LOSS_MEAN] = 0;
      state.values()[TrainingState.LOSS_VARIANCE] = 0;
    }
    return true;
  }

  private static double bound(TrainingState state, double lossSpike) {
    if (lossSpike == 0 || state.counters()[TrainingState.LOSS_STEPS] < LEAST_STEPS) {
      return Double.POSITIVE_INFINITY;
    }
    return Math.fma(lossSpike, spread(state), state.values()[TrainingState.LOSS_MEAN]);
  }

  private static void count(TrainingState state, double loss) {
    state.counters()[TrainingState.SPIKES_IN_A_ROW] = 0;
    long steps = ++state.counters()[TrainingState.LOSS_STEPS];
    double[] values = state.values();
    double share = 1.0 / Math.min(steps, WINDOW_STEPS);
    double mean = values[TrainingState.LOSS_MEAN];
    double d = loss - mean;
    values[TrainingState.LOSS_MEAN] = Math.fma(share, d, mean);
    values[TrainingState.LOSS_VARIANCE] =
        (1 - share) * Math.fma(share * d, d, values[TrainingState.LOSS_VARIANCE]);
  }
}
