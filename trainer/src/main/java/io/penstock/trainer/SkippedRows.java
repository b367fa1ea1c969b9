package io.penstock.trainer;

import io.penstock.pipeline.Slot;
import io.penstock.trainer.device.StepResult;

/** Is told which rows the model was not trained on, though they had been accepted. */
public interface SkippedRows {
  /** Tells nobody. */
  SkippedRows NONE =
      new SkippedRows() {
        @Override
        public void skipped(Slot slot, StepResult result) {}

        @Override
        public void leftOut(long partition, long row) {}
      };

  /** A minibatch whose step was not applied; on the device thread, before the slot is released. */
  void skipped(Slot slot, StepResult result);

  /**
   * A row that is left out after a rollback; on the pipeline thread.
   *
   * @param partition {@link io.penstock.pipeline.PartitionCursor#key()}
   */
  void leftOut(long partition, long row);
}
