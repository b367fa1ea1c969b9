package io.penstock.app;

import io.penstock.app.FittedModel.Cut;
import io.penstock.app.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The model of a checkpoint. */
final class SavedModel implements Model {
  private final String run;
  private final Instant created;
  private final FittedModel model;

  private SavedModel(Inspection saved) {
    Checkpoint checkpoint = saved.checkpoint();
    run = saved.config().name();
    created = checkpoint.created();
    model = new FittedModel(saved.config(), checkpoint.columns());
    model.load(
        checkpoint.state(), TimeUnit.SECONDS.toNanos(created.getEpochSecond()) + created.getNano());
  }

  /** As {@link Model#saved}. */
  static SavedModel of(Path checkpoint) {
    try {
      return of(Inspection.of(checkpoint, "model"));
    } catch (StartException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * The model of a checkpoint that has been read.
   *
   * @throws StartException where this JVM cannot run it
   */
  static SavedModel of(Inspection saved) {
    JvmFlags.require();
    return new SavedModel(saved);
  }

  /** As {@link FittedModel#answer}. */
  Cut answer(FittedModel.Rows rows, FittedModel.Answers to) throws IOException {
    return model.answer(rows, Integer.MAX_VALUE, to);
  }

  @Override
  public Answer predict(List<? extends Map<String, ?>> rows) {
    AnswerWriter.Objects answers = new AnswerWriter.Objects();
    try {
      Cut by = answer(FittedModel.maps(rows), answers);
      double age = Duration.between(created, Instant.now()).toMillis() / 1e3;
      return new Answer(new Snapshot(run, by.rows(), 0, Math.max(0, age)), answers.predictions());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
