package io.penstock.app;

import io.penstock.config.Config;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model that answers within this process: one that was saved, or one that is being trained. Thread-safe.
 *
 * <p>Rows are given by the names of their fields, which are those of the schema; where a name reads as a path ({@code user.age},
 * {@code items[0].price}), the field may lie there instead, in maps and lists. Values are numbers, texts or truth values, and arrays or lists
 * for vectors; they go through the same operators as the rows of the training. A field that is not there, or null, is missing. Others are ignored.
 */
public interface Model extends AutoCloseable {

  /**
   * Answers rows, all of them by the same weights and operators.
   *
   * @return a prediction for each row, in their order
   * @throws IllegalStateException where there is nothing to answer with: before the first row was trained on, and after {@link #close}
   */
  Answer predict(List<? extends Map<String, ?>> rows);

  @Override
  void close();

  /**
   * The model of a checkpoint.
   *
   * @param checkpoint a file, or a folder: then its newest whole one
   * @throws IllegalArgumentException where it cannot be read
   */
  static Model saved(Path checkpoint) {
    return SavedModel.of(checkpoint);
  }

  /**
   * Begins to train as {@code config} says, and answers from what has been learnt so far, no older than {@code predictions.maxAge}.
   * Of {@code http} nothing is started.
   *
   * @throws IllegalArgumentException where the configuration cannot be carried out here
   */
  static LiveTraining training(Config config) {
    return LiveTraining.start(config);
  }

  /**
   * What was answered, and by which weights.
   *
   * @param snapshot of the model
   */
  record Answer(Snapshot snapshot, List<Prediction> predictions) {
    public Answer {
      predictions = List.copyOf(predictions);
    }
  }

  /**
   * One moment of a run: weights and fitted operators that belong together.
   *
   * @param run its name
   * @param rows that had been trained on
   * @param ageRows rows that have been trained on since; 0 for a model that is not in training
   * @param ageSeconds since the weights were the newest; for a checkpoint, since it was cut
   */
  record Snapshot(String run, long rows, long ageRows, double ageSeconds) {}

  /** The answer for a row. */
  sealed interface Prediction {

    /**
     * A class.
     *
     * @param name as the schema has it, or the integer
     * @param index of the class, from 0
     * @param probabilities of all classes by their names, in the order of their indices
     */
    record OfClass(String name, int index, Map<String, Float> probabilities)
        implements Prediction {}

    /** A number. */
    record OfNumber(float value) implements Prediction {}

    /**
     * None: the row cannot be used.
     *
     * @param reason field, rule and value
     */
    record Refused(String reason) implements Prediction {}
  }
}
