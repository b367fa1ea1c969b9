package io.penstock.app;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.TrainingPipeline.Progress;
import io.penstock.app.TrainingPipeline.Surroundings;
import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.netty.Feed;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.trainer.device.Device;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.OffsetEpochNanoClock;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * A run: its source, its pipeline, and how it stands. The pipeline is put together at once where the schema is known, and
 * otherwise when the first sender's header has told it.
 */
final class TrainingRun implements Run {
  private static final double WARM_UP_SECONDS = 2;

  private final Config config;
  private final RunOptions options;
  private final TalliedRejections rejections;
  private final Device device;
  private final Runnable checkpointWanted;
  private final EpochNanoClock clock = new OffsetEpochNanoClock();
  private final Scheduler pipelineThread = Schedulers.newSingle("penstock-pipeline", true);
  private final Sources sources;
  private final Stages stages;
  private final Allocation allocation = new Allocation();
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile @Nullable TrainingPipeline pipeline;
  private volatile Phase phase = Phase.STARTING;
  private volatile @Nullable String failure;
  private volatile long startedNanos;
  private volatile long endedNanos;
  private @Nullable Disposable feeding;

  /**
   * Opens the source: a listener listens from here on.
   *
   * @param saved the cut to go on from, or null to begin
   * @throws StartException where the configuration cannot be carried out here
   */
  TrainingRun(Config config, RunOptions options, Device device, @Nullable State saved) {
    this(config, options, device, saved, SourceContext.NO_CHECKPOINTS);
  }

  /**
   * The same, with somebody who keeps checkpoints and calls {@link #durable}.
   *
   * @param checkpointWanted is told when one should be made soon; any thread
   */
  TrainingRun(
      Config config,
      RunOptions options,
      Device device,
      @Nullable State saved,
      Runnable checkpointWanted) {
    this.config = config;
    this.checkpointWanted = checkpointWanted;
    rejections = new TalliedRejections(options.rejections());
    this.options = new RunOptions(options.maxRecords(), options.fresh(), rejections);
    this.device = device;
    try {
      sources = new Sources(config);
    } catch (SourceException e) {
      pipelineThread.dispose();
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    stages = new Stages(sources.threads(), config.pipeline().parallelism());
    try {
      Optional<List<String>> columns = sources.columnNames();
      if (columns.isPresent()) {
        pipeline = pipeline(RunPlan.of(config, columns.get()), saved);
      } else if (saved != null) {
        throw new SourceException(
            "schema: a saved run cannot wait for a header; name the columns under format.csv.columns");
      }
    } catch (SourceException | IllegalArgumentException e) {
      sources.close();
      pipelineThread.dispose();
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private TrainingPipeline pipeline(RunPlan plan, @Nullable State saved) {
    Surroundings around =
        new Surroundings(
            config,
            options,
            sources,
            device,
            stages,
            pipelineThread,
            clock,
            checkpointWanted,
            error -> fail(Causes.of(error)),
            this::end);
    return new TrainingPipeline(around, plan, saved);
  }

  @Override
  public void start() {
    startedNanos = clock.nanoTime();
    TrainingPipeline ready = pipeline;
    synchronized (this) {
      phase = Phase.RUNNING;
    }
    if (ready != null) {
      ready.start();
    } else {
      startWithTheFirstHeader();
    }
    if (config.source() instanceof SourceConfig.Tcp tcp && tcp.feed() != null) {
      feeding = feed(tcp, tcp.feed());
    }
  }

  private void startWithTheFirstHeader() {
    sources
        .header(names -> RunPlan.of(config, names))
        .publishOn(pipelineThread)
        .map(plan -> pipeline(plan, null))
        .switchIfEmpty(Mono.fromRunnable(this::end)) // stopped before there was a header
        .subscribe(this::begin, this::cannotBegin);
  }

  private synchronized void begin(TrainingPipeline made) {
    pipeline = made;
    made.start();
    if (phase != Phase.RUNNING) {
      made.stop();
    }
  }

  private void cannotBegin(Throwable error) {
    fail(Causes.of(error));
    end();
  }

  private Disposable feed(SourceConfig.Tcp tcp, SourceConfig.FeedConfig feed) {
    return Feed.to(tcp.bind(), sources.port())
        .atRate(feed.rate())
        .generator(feed.generator(), tcp.format().csv().header())
        .subscribe(sent -> {}, this::feedFailed);
  }

  private void feedFailed(Throwable error) {
    // With all the rows it wanted the run hangs up on its sender.
    TrainingPipeline current = pipeline;
    if (current == null || !current.hasAllRows()) {
      fail(Causes.of(error));
    }
  }

  /** Cuts the run where it is: what is needed to go on from here, when the trainer has come here. */
  CompletableFuture<State> cut() {
    TrainingPipeline current = pipeline;
    return current == null
        ? CompletableFuture.failedFuture(
            new IllegalStateException("no cut: the schema is not known before the first header"))
        : current.cut();
  }

  /** Says that no run will resume from before {@code cut}, see {@link TrainingPipeline#durable}. */
  void durable(State cut) {
    TrainingPipeline current = pipeline;
    if (current != null) {
      current.durable(cut);
    }
  }

  @Override
  public void stop() {
    TrainingPipeline current;
    synchronized (this) {
      if (phase == Phase.RUNNING) {
        phase = Phase.STOPPING;
      }
      current = pipeline;
    }
    if (current != null) {
      current.stop();
    } else {
      sources.close();
    }
  }

  @Override
  public void fail(String reason) {
    synchronized (this) {
      if (failure == null && !phase.isEnd()) {
        failure = reason;
      }
    }
    stop();
  }

  private synchronized void end() {
    endedNanos = clock.nanoTime();
    allocation.end();
    phase = failure == null ? Phase.ENDED : Phase.FAILED;
    ended.countDown();
  }

  @Override
  public boolean awaitEnd(Duration timeout) throws InterruptedException {
    return ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public RunSnapshot snapshot() {
    Phase now = phase; // first: what is read after the end is final
    TrainingPipeline current = pipeline;
    Progress progress = current == null ? null : current.progress();
    double seconds = seconds(now);
    Snapshots.Facts facts =
        new Snapshots.Facts(
            now,
            sources.address(),
            device.label(),
            seconds,
            stages.ingest.rows(),
            rejections.entry(),
            stages.snapshot(),
            failure);
    if (progress == null) {
      return Snapshots.of(facts);
    }
    long trained = progress.trainer().rowsTrained();
    if (trained > 0 && seconds > WARM_UP_SECONDS && !now.isEnd()) {
      allocation.begin(trained);
    }
    return Snapshots.of(facts, progress, allocation.perRow(trained), stages.device.bytes());
  }

  private double seconds(Phase now) {
    long until = now.isEnd() ? endedNanos : clock.nanoTime();
    return now == Phase.STARTING ? 0 : (until - startedNanos) / 1e9;
  }

  @Override
  public void close() {
    boolean started = phase != Phase.STARTING;
    stop();
    if (feeding != null) {
      feeding.dispose();
    }
    if (started && pipeline == null) {
      awaitPipeline();
    }
    TrainingPipeline last = pipeline;
    if (last != null) {
      last.close();
    }
    sources.close();
    // What a connection sends on late is given back on this thread.
    pipelineThread.disposeGracefully().subscribe();
  }

  /** The header may just have come: then the pipeline is being put together, and ends as soon as it has begun. */
  private void awaitPipeline() {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
