package io.penstock.app;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.TrainingPipeline.Start;
import io.penstock.app.TrainingPipeline.Surroundings;
import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.SourceContext;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.model.Evaluation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code penstock evaluate}: a run over a labelled file whose steps end before anything is learnt, and whose operators rewrite rows
 * by the state as it was saved.
 *
 * @param rejected rows that could not be used
 * @param firstRejection why the first of them could not; empty where there is none
 */
record SavedEvaluation(
    Inspection saved, Path file, Evaluation evaluation, long rejected, String firstRejection) {
  private static final int MAX_LINE_BYTES = 64 << 20;

  /**
   * Evaluates.
   *
   * @throws StartException where the file cannot be read, or does not have the columns that the model needs
   * @throws RunException where it breaks off, or none of its rows can be used
   */
  static SavedEvaluation of(Inspection saved, Path file) throws InterruptedException {
    JvmFlags.require();
    if (!Files.isRegularFile(file)) {
      throw new StartException("evaluate: %s: there is no such file".formatted(file));
    }
    Config config = saved.config().evaluating(source(saved.config(), file));
    FirstRejection rejections = new FirstRejection();
    Evaluation evaluation;
    try {
      evaluation = evaluate(saved, config, rejections);
    } catch (SourceException | IllegalArgumentException e) {
      throw new StartException("evaluate: %s: %s".formatted(file, e.getMessage()), e);
    }
    if (evaluation.rows() == 0) {
      throw new RunException(
          "evaluate: %s: no row could be used%s"
              .formatted(
                  file, rejections.first.isEmpty() ? "" : "; the first: " + rejections.first));
    }
    return new SavedEvaluation(saved, file, evaluation, rejections.count(), rejections.first);
  }

  private static SourceConfig.File source(Config trained, Path file) {
    FormatConfig format = RowFormats.of(trained).ofFile(file);
    return new SourceConfig.File(file.toString(), format, MAX_LINE_BYTES, 1);
  }

  private static Evaluation evaluate(Inspection saved, Config config, Rejections rejections)
      throws InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Scheduler thread = Schedulers.newSingle("penstock-pipeline", true);
    try (Sources sources = new Sources(config)) {
      // The file's own columns, in its own order; the features are in that of the schema.
      RunPlan plan = RunPlan.of(config, sources.columnNames().orElse(List.of())).evaluating();
      if (!plan.features().names().equals(saved.plan().features().names())) {
        throw new SourceException(
            "its columns make the features %s, the model has %s"
                .formatted(plan.features().names(), saved.plan().features().names()));
      }
      Surroundings around =
          new Surroundings(
              config,
              new RunOptions(0, Beginning.FRESH, rejections),
              sources,
              new CpuDevice(),
              new Stages(sources.threads(), config.pipeline().parallelism()),
              thread,
              new SteadyEpochClock(),
              SourceContext.NO_CHECKPOINTS,
              () -> false,
              poison -> {},
              error -> failure.compareAndSet(null, error),
              ended::countDown);
      Start start = new Start(saved.file(), saved.state(), null);
      try (TrainingPipeline pipeline = new TrainingPipeline(around, plan, start)) {
        pipeline.start();
        ended.await();
        Throwable broken = failure.get();
        if (broken != null) {
          throw new RunException("evaluate: " + Causes.of(broken), broken);
        }
        return pipeline.progress().trainer().evaluation();
      }
    } finally {
      thread.dispose();
    }
  }

  /** For people. */
  String text() {
    String head =
        "%s of %s, by the weights of %s (trained on %s)%s"
            .formatted(
                Texts.count(evaluation.rows(), "row"),
                file,
                saved.file(),
                Texts.count(saved.training().evaluation().rows(), "row"),
                rejected == 0
                    ? ""
                    : "%n%s could not be used; the first: %s"
                        .formatted(Texts.count(rejected, "row"), firstRejection));
    return head
        + "\n\n"
        + String.join(
            "\n",
            MetricTable.lines(
                evaluation.cumulative(),
                evaluation.windowed(),
                saved.config().evaluation().labelDelay(),
                saved.config().schema().label().classes()));
  }

  /** For programs: metrics as in a run's report. */
  ObjectNode json() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("checkpoint", saved.file().toString());
    node.put("file", file.toString());
    node.put("rows", evaluation.rows());
    node.put("rejected", rejected);
    ObjectNode metrics = node.putObject("prequential");
    ReportWriter.metrics(metrics, evaluation.cumulative());
    ReportWriter.metrics(metrics.putObject("window"), evaluation.windowed());
    node.put("labelDelay", saved.config().evaluation().labelDelay());
    return node;
  }

  /** Counts rejected rows and keeps what was wrong with the first. */
  private static final class FirstRejection implements Rejections {
    private long count;
    private volatile String first = "";

    @Override
    public synchronized void reject(
        PartitionCursor cursor,
        long row,
        Reason reason,
        String detail,
        byte[] raw,
        int from,
        int to) {
      first = count++ == 0 ? "row %d: %s".formatted(row, detail) : first;
    }

    @Override
    public synchronized long count() {
      return count;
    }
  }
}
