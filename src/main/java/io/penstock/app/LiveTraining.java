package io.penstock.app;

import io.penstock.app.FittedModel.Cut;
import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;

/** A run within this process, whose model can be asked while it learns. Thread-safe. */
public final class LiveTraining implements Model {
  private final Run run;
  private final DeadLetters deadLetters;

  private LiveTraining(Run run, DeadLetters deadLetters) {
    this.run = run;
    this.deadLetters = deadLetters;
  }

  static LiveTraining start(Config config) {
    try {
      JvmFlags.require();
      DeadLetters letters = Training.deadLetters(config);
      try {
        Run run =
            TrainingRun.of(
                config,
                new RunOptions(0, Beginning.RESUMED, null, letters, letters),
                Devices.open(config.device(), config.precision(), System.err),
                Disk.REAL);
        run.start();
        return new LiveTraining(run, letters);
      } catch (RuntimeException e) {
        letters.close();
        throw e;
      }
    } catch (StartException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  @Override
  public Answer predict(List<? extends Map<String, ?>> rows) {
    LiveModel model = run.model();
    AnswerWriter.Objects answers = new AnswerWriter.Objects();
    long began = model.nanoTime();
    try {
      model.ready().join();
      Cut by = model.answer(FittedModel.maps(rows), answers, began);
      return new Answer(model.describe(by), answers.predictions());
    } catch (CompletionException | LiveModel.NoModel e) {
      model.refused();
      throw new IllegalStateException(LiveModel.cause(e).getMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Rows trained on so far. */
  public long rowsTrained() {
    return run.snapshot().rows().trained();
  }

  /** Why the run has failed; empty where it has not. */
  public String failure() {
    String failure = run.snapshot().failure();
    return failure == null ? "" : failure;
  }

  /** Waits for the end of the training, after which the model can still be asked; false where the time was up first. */
  public boolean awaitEnd(Duration timeout) throws InterruptedException {
    return run.awaitEnd(timeout);
  }

  /** Ends the training after the step in flight, with a checkpoint where these are configured, and forgets the model. */
  @Override
  public void close() {
    run.close();
    deadLetters.close();
  }
}
