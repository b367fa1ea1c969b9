package io.penstock.app;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.config.Config;
import io.penstock.config.Config.ErrorsConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** {@code penstock train}: starts a run, watches it to its end, and tells what came of it. */
final class Training {
  private static final Duration TICK = Duration.ofMillis(100);
  private static final long FLUSH_NANOS = 1_000_000_000L;

  /** From a signal: the step in flight may take so long; then the run is reported as it is. */
  private static final long STOP_NANOS = 2_000_000_000L;

  private static final Duration EXIT = Duration.ofMillis(2700);

  private final Engine engine;
  private final Terminal terminal;

  Training(Engine engine, Terminal terminal) {
    this.engine = engine;
    this.terminal = terminal;
  }

  /**
   * What the command line says beside the configuration.
   *
   * @param maxRecords rows to train on before the run ends; 0: no bound
   * @param report file for the report, where one is wanted
   * @param weights file of the weights to begin with, where there is one
   */
  record Options(
      long maxRecords, @Nullable Path report, Beginning beginning, @Nullable Path weights) {}

  /** Trains to the end; returns the exit code. */
  int train(Path file, List<String> sets, Options options) throws InterruptedException {
    Config config = engine.config(file, sets);
    ReportWriter report = options.report() == null ? null : new ReportWriter(options.report());
    try (Termination termination = Termination.install(EXIT, terminal.err());
        DeadLetters deadLetters = deadLetters(config);
        Run run =
            engine.run(
                config,
                new RunOptions(
                    options.maxRecords(),
                    options.beginning(),
                    options.weights(),
                    deadLetters,
                    deadLetters))) {
      Watch watch =
          new Watch(
              run,
              deadLetters,
              new RejectionLimit(config.errors().maxRate()),
              new StatusLine(terminal.err(), terminal.columns()),
              new MetricHistory(config.evaluation().window()));
      RunSnapshot end;
      try (HttpEndpoint http = http(config, watch::latest, run, deadLetters)) {
        run.start();
        termination.onRequest(run::stop);
        greet(run.snapshot(), http);
        end = watch.toTheEnd();
      }
      deadLetters.flush();
      terminal
          .out()
          .println(Summary.of(end, deadLetters, watch.history, config.schema().label().classes()));
      if (report != null) {
        report.write(end);
      }
      // A device that hangs may keep the run from closing; after a signal that must not keep the
      // process.
      termination.reported();
      return end.failure() == null ? ExitCode.OK : ExitCode.FAILED;
    }
  }

  /** Where the configuration has rejected rows go. */
  static DeadLetters deadLetters(Config config) {
    ErrorsConfig errors = config.errors();
    return errors.deadLetters().isEmpty()
        ? DeadLetters.countedOnly()
        : DeadLetters.to(
            new RotatedFile(
                Path.of(errors.deadLetters()),
                errors.deadLettersMaxBytes() == 0 ? Long.MAX_VALUE : errors.deadLettersMaxBytes(),
                errors.deadLettersKeep()),
            Sources.names(config));
  }

  private static @Nullable HttpEndpoint http(
      Config config, Supplier<RunSnapshot> latest, Run run, DeadLetters deadLetters) {
    return config.http().port() < 0
        ? null
        : new HttpEndpoint(config.http(), latest, run::checkpoint, run.model(), deadLetters);
  }

  private void greet(RunSnapshot run, @Nullable HttpEndpoint http) {
    terminal
        .err()
        .println(
            "penstock %s: training from %s on %s%s%s"
                .formatted(
                    Version.TEXT,
                    run.source(),
                    run.device(),
                    run.saved().resumedRows() == 0
                        ? ""
                        : ", going on after %s"
                            .formatted(Texts.count(run.saved().resumedRows(), "row")),
                    http == null
                        ? ""
                        : "; predictions at %1$s/v1/predict; meters at %1$s/metrics"
                            .formatted(http.address())));
  }

  /** Looks at a run a few times a second. */
  private final class Watch {
    private final Run run;
    private final DeadLetters deadLetters;
    private final RejectionLimit limit;
    private final StatusLine status;
    private final MetricHistory history;
    private volatile RunSnapshot latest;
    private long flushedNanos;

    Watch(
        Run run,
        DeadLetters deadLetters,
        RejectionLimit limit,
        StatusLine status,
        MetricHistory history) {
      this.run = run;
      this.deadLetters = deadLetters;
      this.limit = limit;
      this.status = status;
      this.history = history;
      latest = run.snapshot();
    }

    RunSnapshot latest() {
      return latest;
    }

    RunSnapshot toTheEnd() throws InterruptedException {
      long stoppingNanos = 0;
      boolean ended = false;
      while (!ended) {
        ended = run.awaitEnd(TICK);
        long now = terminal.nanoTime().getAsLong();
        look(now);
        if (!ended && latest.state() == Phase.STOPPING) {
          stoppingNanos = stoppingNanos == 0 ? now : stoppingNanos;
          ended = now - stoppingNanos > STOP_NANOS;
        }
      }
      status.end();
      Optional<String> exceeded = limit.exceeded(latest.rows(), true);
      if (exceeded.isPresent() && latest.failure() == null) {
        latest = latest.failed(exceeded.get());
      }
      return latest;
    }

    private void look(long now) {
      RunSnapshot seen = run.snapshot();
      latest = seen;
      history.observe(seen.rows().trained(), MetricTable.main(seen.window()));
      status.update(now, seen);
      if (!seen.state().isEnd()) {
        limit.exceeded(seen.rows(), false).ifPresent(run::fail);
      }
      if (now - flushedNanos > FLUSH_NANOS) {
        deadLetters.flush();
        flushedNanos = now;
      }
    }
  }
}
