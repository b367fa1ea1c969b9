package io.penstock.app;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Stage;
import io.penstock.pipeline.Rejections.Reason;
import io.penstock.trainer.model.Metrics;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Binds the meters of a run to the snapshot that the main thread took last. Whoever reads a meter computes it; the run itself
 * pays nothing. Meters of metrics that do not apply to the task read NaN.
 */
final class RunMeters implements MeterBinder {
  private static final double NANOS = 1e-9;

  private final Supplier<RunSnapshot> latest;
  private final Supplier<LiveModel.Status> model;
  private final DeadLetters deadLetters;
  private final LongAdder unauthorized;

  /**
   * Meters of what {@code latest} and {@code model} give.
   *
   * @param unauthorized HTTP requests without the right token
   */
  RunMeters(
      Supplier<RunSnapshot> latest,
      Supplier<LiveModel.Status> model,
      DeadLetters deadLetters,
      LongAdder unauthorized) {
    this.latest = latest;
    this.model = model;
    this.deadLetters = deadLetters;
    this.unauthorized = unauthorized;
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, PenstockMeter.ROWS_RECEIVED, run -> run.rows().received());
    counter(registry, PenstockMeter.ROWS_TRAINED, run -> run.rows().trained());
    counter(registry, PenstockMeter.ROWS_SKIPPED, run -> run.rows().skipped());
    counter(registry, PenstockMeter.ROWS_LEFT_OUT, run -> run.rows().leftOut());
    counter(registry, PenstockMeter.ROWS_LOST, run -> run.rows().lost());
    counter(registry, PenstockMeter.ROLLBACKS, run -> run.setbacks().rollbacks());
    gauge(registry, PenstockMeter.SKIPPED_IN_A_ROW, run -> run.setbacks().skippedInARow());
    counter(registry, PenstockMeter.CONNECTIONS_REFUSED, run -> run.refused().tooMany(), "limit");
    counter(registry, PenstockMeter.CONNECTIONS_REFUSED, run -> run.refused().idle(), "idle");
    counter(
        registry, PenstockMeter.CONNECTIONS_REFUSED, run -> run.refused().unauthorized(), "token");
    counter(registry, PenstockMeter.REQUESTS_REFUSED, run -> unauthorized.sum());
    counter(registry, PenstockMeter.BATCHES, RunSnapshot::batches);
    for (Reason reason : Reason.values()) {
      counter(
          registry,
          PenstockMeter.ROWS_REJECTED,
          run -> deadLetters.count(reason),
          DeadLetters.name(reason));
    }
    List<Stage> stages = latest.get().stages();
    for (int i = 0; i < stages.size(); i++) {
      bindStage(registry, stages.get(i).name(), i);
    }
    gauge(registry, PenstockMeter.LOSS, RunSnapshot::loss);
    bindMetrics(registry, "all", RunSnapshot::cumulative);
    bindMetrics(registry, "window", RunSnapshot::window);
    bindPercentiles(registry, PenstockMeter.STEP_TIME, 1e-6, RunSnapshot::stepMicros);
    bindPercentiles(registry, PenstockMeter.FRESHNESS, 1e-3, RunSnapshot::freshnessMillis);
    gauge(registry, PenstockMeter.RING_FILL, run -> run.memory().ringFill());
    gauge(registry, PenstockMeter.RING_CAPACITY, run -> run.memory().ringCapacity());
    gauge(registry, PenstockMeter.POOL_HELD, run -> run.memory().poolHeldBytes());
    gauge(registry, PenstockMeter.POOL_CAPACITY, run -> run.memory().poolCapacityBytes());
    gauge(registry, PenstockMeter.BYTES_IN_FLIGHT, run -> run.memory().inFlightBytes());
    gauge(registry, PenstockMeter.ALLOCATED, run -> run.memory().allocatedBytesPerRecord());
    counter(registry, PenstockMeter.CHECKPOINTS, run -> run.saved().written());
    counter(registry, PenstockMeter.CHECKPOINTS_FAILED, run -> run.saved().failed());
    gauge(registry, PenstockMeter.CHECKPOINT_AGE, run -> run.saved().ageSeconds());
    gauge(registry, PenstockMeter.CHECKPOINT_ROWS, run -> run.saved().rows());
    gauge(registry, PenstockMeter.CHECKPOINT_BYTES, run -> run.saved().bytes());
    gauge(registry, PenstockMeter.CHECKPOINT_TIME, run -> run.saved().seconds());
    gauge(registry, PenstockMeter.CHECKPOINT_PAUSE, run -> run.saved().pauseMillis() / 1e3);
    counter(registry, PenstockMeter.COPY_BYTES, run -> run.copy().bytes());
    gauge(registry, PenstockMeter.COPY_OVERLAP, run -> run.copy().overlap());
    bindPredictions(registry);
  }

  private void bindPredictions(MeterRegistry registry) {
    counter(registry, PenstockMeter.PREDICTION_REQUESTS, run -> model.get().requests());
    counter(registry, PenstockMeter.PREDICTIONS_REFUSED, run -> model.get().refused());
    counter(registry, PenstockMeter.ROWS_PREDICTED, run -> model.get().rows());
    counter(registry, PenstockMeter.ROWS_NOT_PREDICTED, run -> model.get().refusedRows());
    gauge(registry, PenstockMeter.PREDICTION_TIME, run -> model.get().p50Nanos() * NANOS, "50");
    gauge(registry, PenstockMeter.PREDICTION_TIME, run -> model.get().p99Nanos() * NANOS, "99");
    gauge(registry, PenstockMeter.PREDICTION_AGE, run -> model.get().ageSeconds());
  }

  private void bindStage(MeterRegistry registry, String stage, int index) {
    counter(registry, PenstockMeter.STAGE_ROWS, run -> run.stages().get(index).rows(), stage);
    counter(registry, PenstockMeter.STAGE_BYTES, run -> run.stages().get(index).bytes(), stage);
    counter(
        registry,
        PenstockMeter.STAGE_BUSY,
        run -> run.stages().get(index).busyNanos() * NANOS,
        stage);
    counter(
        registry,
        PenstockMeter.STAGE_BLOCKED,
        run -> run.stages().get(index).blockedNanos() * NANOS,
        stage);
    counter(
        registry,
        PenstockMeter.STAGE_STARVED,
        run -> run.stages().get(index).starvedNanos() * NANOS,
        stage);
  }

  private void bindMetrics(
      MeterRegistry registry, String scope, Function<RunSnapshot, Metrics> metrics) {
    metric(registry, "accuracy", scope, run -> metrics.apply(run).accuracy());
    metric(registry, "kappa", scope, run -> metrics.apply(run).kappa());
    metric(registry, "kappaT", scope, run -> metrics.apply(run).kappaT());
    metric(registry, "noChangeAccuracy", scope, run -> metrics.apply(run).noChange().accuracy());
    metric(registry, "majorityAccuracy", scope, run -> metrics.apply(run).constant().accuracy());
    metric(registry, "f1", scope, run -> metrics.apply(run).model().f1());
    metric(registry, "auc", scope, run -> metrics.apply(run).model().auc());
    metric(registry, "prAuc", scope, run -> metrics.apply(run).model().prAuc());
    metric(
        registry, "calibrationError", scope, run -> metrics.apply(run).model().calibrationError());
    metric(registry, "logLoss", scope, run -> metrics.apply(run).logLoss());
    metric(registry, "mae", scope, run -> metrics.apply(run).mae());
    metric(registry, "rmse", scope, run -> metrics.apply(run).model().rmse());
    metric(registry, "r2", scope, run -> metrics.apply(run).model().r2());
  }

  private void metric(
      MeterRegistry registry, String name, String scope, ToDoubleFunction<RunSnapshot> value) {
    gauge(registry, PenstockMeter.PREQUENTIAL, value, name, scope);
  }

  private void bindPercentiles(
      MeterRegistry registry,
      PenstockMeter meter,
      double scale,
      Function<RunSnapshot, Percentiles> percentiles) {
    gauge(registry, meter, run -> percentiles.apply(run).p50() * scale, "50");
    gauge(registry, meter, run -> percentiles.apply(run).p99() * scale, "99");
  }

  /** The registry holds the binder weakly; {@link HttpEndpoint} holds it as long as it answers. */
  private void counter(
      MeterRegistry registry,
      PenstockMeter meter,
      ToDoubleFunction<RunSnapshot> value,
      String... tags) {
    FunctionCounter.builder(
            meter.meterName(), this, binder -> value.applyAsDouble(binder.latest.get()))
        .description(meter.description())
        .baseUnit(unit(meter))
        .tags(tags(meter, tags))
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry,
      PenstockMeter meter,
      ToDoubleFunction<RunSnapshot> value,
      String... tags) {
    Gauge.builder(meter.meterName(), this, binder -> value.applyAsDouble(binder.latest.get()))
        .description(meter.description())
        .baseUnit(unit(meter))
        .tags(tags(meter, tags))
        .register(registry);
  }

  private static @Nullable String unit(PenstockMeter meter) {
    return meter.unit().isEmpty() ? null : meter.unit();
  }

  private static Tags tags(PenstockMeter meter, String... values) {
    Tags tags = Tags.empty();
    for (int i = 0; i < values.length; i++) {
      tags = tags.and(meter.tags().get(i), values[i]);
    }
    return tags;
  }
}
