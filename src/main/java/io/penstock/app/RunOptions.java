package io.penstock.app;

import io.penstock.pipeline.Rejections;
import io.penstock.trainer.SkippedRows;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the command line adds to a configuration.
 *
 * @param maxRecords rows to train on before the run ends; 0: no bound
 * @param beginning what the run begins with
 * @param weights file of the weights it begins with, where they are from a file
 * @param rejections where rows go that cannot be used; belongs to the caller
 * @param skippedRows is told of rows that could be used, but were not trained on; belongs to the caller
 */
record RunOptions(
    long maxRecords,
    Beginning beginning,
    @Nullable Path weights,
    Rejections rejections,
    SkippedRows skippedRows) {

  RunOptions(long maxRecords, Beginning beginning, Rejections rejections) {
    this(maxRecords, beginning, null, rejections, SkippedRows.NONE);
  }

  /** What a run begins with. */
  enum Beginning {
    /** The newest checkpoint, if there is one. */
    RESUMED,
    /** Nothing, whatever is saved. */
    FRESH,
    /** The weights of the newest checkpoint, and nothing else of it. */
    WEIGHTS_ONLY
  }
}
