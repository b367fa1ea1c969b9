package io.penstock.trainer.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.pipeline.SlotLayout;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.Confusion;
import io.penstock.trainer.model.LossSpikes;
import io.penstock.trainer.model.RowMetrics;
import io.penstock.trainer.model.ScoreBins;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What a session keeps on the device beside its regions, struct Step of penstock.cuh and the training state behind it. */
final class StepRecord {
  private static final long LOSS = 0;
  private static final long SEQUENCE = 16;
  private static final long STATUS = 28;
  private static final long STATE = 64;
  private static final StepResult.Status[] STATUSES = StepResult.Status.values();

  private StepRecord() {}

  /** Bytes of the step itself. */
  static long stepBytes() {
    return STATE;
  }

  static long bytes(TrainingState state) {
    return STATE
        + (long) state.counters().length * Long.BYTES
        + (long) state.values().length * Double.BYTES;
  }

  static void read(MemorySegment record, StepResult to) {
    to.set(
        record.get(JAVA_LONG, SEQUENCE),
        STATUSES[record.get(JAVA_INT, STATUS)],
        record.get(JAVA_DOUBLE, LOSS));
  }

  static void read(MemorySegment record, TrainingState to) {
    long[] counters = to.counters();
    double[] values = to.values();
    long behind = STATE + (long) counters.length * Long.BYTES;
    MemorySegment.copy(record, JAVA_LONG, STATE, counters, 0, counters.length);
    MemorySegment.copy(record, JAVA_DOUBLE, behind, values, 0, values.length);
  }

  static void write(MemorySegment record, TrainingState from) {
    long[] counters = from.counters();
    double[] values = from.values();
    long behind = STATE + (long) counters.length * Long.BYTES;
    MemorySegment.copy(counters, 0, record, JAVA_LONG, STATE, counters.length);
    MemorySegment.copy(values, 0, record, JAVA_DOUBLE, behind, values.length);
  }

  /** The places that kernels know by name, as options of the compiler. */
  static List<String> definitions() {
    List<String> list = new ArrayList<>();
    define(list, "SLOT_VALID_ROWS", SlotLayout.VALID_ROWS_OFFSET);
    define(list, "SLOT_SEQUENCE", SlotLayout.SEQUENCE_OFFSET);
    define(list, "SLOT_WEIGHT_SUM", SlotLayout.WEIGHT_SUM_OFFSET);
    define(list, "COUNTERS", TrainingState.COUNTERS);
    define(list, "STEPS_APPLIED", TrainingState.STEPS_APPLIED);
    define(list, "STEPS_SKIPPED", TrainingState.STEPS_SKIPPED);
    define(list, "ROWS", TrainingState.ROWS);
    define(list, "PREVIOUS_CLASS", TrainingState.PREVIOUS_CLASS);
    define(list, "MAJORITY_CLASS", TrainingState.MAJORITY_CLASS);
    define(list, "LOSS_STEPS", TrainingState.LOSS_STEPS);
    define(list, "SPIKES_IN_A_ROW", TrainingState.SPIKES_IN_A_ROW);
    define(list, "BETA1_POWER", TrainingState.BETA1_POWER);
    define(list, "BETA2_POWER", TrainingState.BETA2_POWER);
    define(list, "LOSS_MEAN", TrainingState.LOSS_MEAN);
    define(list, "LOSS_VARIANCE", TrainingState.LOSS_VARIANCE);
    define(list, "ROW_WEIGHT", TrainingState.ROW_WEIGHT);
    define(list, "PREVIOUS_LABEL", TrainingState.PREVIOUS_LABEL);
    define(list, "LABEL_SUM", TrainingState.LABEL_SUM);
    define(list, "SUMS", TrainingState.SUMS);
    define(list, "SUM_ROWS", TrainingState.SUM_ROWS);
    define(list, "SUM_LOSS", TrainingState.SUM_LOSS);
    define(list, "SUM_ABSOLUTE_ERROR", TrainingState.SUM_ABSOLUTE_ERROR);
    define(list, "SUM_NO_CHANGE_ABSOLUTE_ERROR", TrainingState.SUM_NO_CHANGE_ABSOLUTE_ERROR);
    define(list, "SUM_MEAN_ABSOLUTE_ERROR", TrainingState.SUM_MEAN_ABSOLUTE_ERROR);
    define(list, "NUMBER_SUMS", TrainingState.NUMBER_SUMS);
    define(list, "SUM_LOG_LOSS", TrainingState.SUM_LOG_LOSS);
    define(list, "SUM_BY_CLASS", TrainingState.SUM_BY_CLASS);
    define(list, "MOST_CONFUSED", Confusion.MOST_CLASSES);
    define(list, "PROBABILITY_BINS", ScoreBins.PROBABILITIES);
    define(list, "SCORE_BINS", ScoreBins.COUNT);
    list.add("-DSCORE_RANGE=" + ScoreBins.RANGE);
    list.add("-DMAX_LOG_LOSS=" + RowMetrics.MAX_LOG_LOSS);
    list.add("-DMOST_WEIGHT=" + RowMetrics.MOST_WEIGHT);
    define(list, "SPIKE_LEAST_STEPS", LossSpikes.LEAST_STEPS);
    define(list, "SPIKE_WINDOW_STEPS", LossSpikes.WINDOW_STEPS);
    define(list, "SPIKE_MOST_IN_A_ROW", LossSpikes.MOST_IN_A_ROW);
    list.add("-DSPIKE_LEAST_SPREAD_OF_MEAN=" + LossSpikes.LEAST_SPREAD_OF_MEAN);
    list.add("-DSPIKE_LEAST_SPREAD=" + LossSpikes.LEAST_SPREAD);
    return list;
  }

  private static void define(List<String> list, String name, long value) {
    list.add("-D" + name + "=" + value);
  }
}
