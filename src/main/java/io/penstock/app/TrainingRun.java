package io.penstock.app;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.TrainingPipeline.Progress;
import io.penstock.app.TrainingPipeline.Start;
import io.penstock.app.TrainingPipeline.Surroundings;
import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointException;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.config.TokenConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.netty.Feed;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.trainer.Poison;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.device.Device;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * A run: its source, its pipeline, and how it stands. The pipeline is put together at once where the schema is known, and
 * otherwise when the first sender's header has told it.
 */
final class TrainingRun implements Run {
  private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);
  private static final double WARM_UP_SECONDS = 2;

  /** Of the time that an end by a signal may take. */
  private static final Duration CUT_WITHIN = Duration.ofMillis(1200);

  private final Config config;
  private final RunOptions options;
  private final TalliedRejections rejections;
  private final Device device;
  private final Runnable checkpointWanted;
  private final EpochNanoClock clock;
  private final @Nullable Checkpoints checkpoints;
  private final Stages stages;
  private final LiveModel model;
  private final Allocation allocation = new Allocation();
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile Scheduler pipelineThread = pipelineThread();
  private volatile Sources sources;
  private volatile @Nullable TrainingPipeline pipeline;
  private volatile @Nullable Thread rollback;
  private volatile Phase phase = Phase.STARTING;
  private volatile @Nullable String failure;
  private volatile long startedNanos;
  private volatile long endedNanos;
  private volatile long receivedBefore;
  private long resumedRows;
  private final Disposable.Composite feeding = Disposables.composite();

  /**
   * Opens the source: a listener listens from here on.
   *
   * @param disk where checkpoints are written
   * @throws StartException where the configuration cannot be carried out here
   */
  static TrainingRun of(Config config, RunOptions options, Device device, Disk disk) {
    EpochNanoClock clock = new SteadyEpochClock();
    Checkpoints checkpoints = Checkpoints.open(config, options.beginning(), disk, clock);
    try {
      Runnable wanted =
          checkpoints == null ? SourceContext.NO_CHECKPOINTS : checkpoints::requestDurability;
      Config whole = checkpoints == null ? Inference.complete(config) : checkpoints.config();
      return new TrainingRun(whole, options, device, clock, checkpoints, null, wanted);
    } catch (RuntimeException e) {
      if (checkpoints != null) {
        checkpoints.close();
      }
      throw e;
    }
  }

  /**
   * A run that keeps nothing on disk.
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
    this(config, options, device, new SteadyEpochClock(), null, saved, checkpointWanted);
  }

  private TrainingRun(
      Config config,
      RunOptions options,
      Device device,
      EpochNanoClock clock,
      @Nullable Checkpoints checkpoints,
      @Nullable State cut,
      Runnable checkpointWanted) {
    this.config = config;
    this.clock = clock;
    this.checkpoints = checkpoints;
    this.checkpointWanted = checkpointWanted;
    model = new LiveModel(config, clock);
    Checkpoint resumed = checkpoints == null ? null : checkpoints.resumed();
    State saved = resumed == null ? cut : resumed.state();
    rejections = new TalliedRejections(options.rejections());
    this.options =
        new RunOptions(
            options.maxRecords(),
            options.beginning(),
            options.weights(),
            rejections,
            options.skippedRows());
    if (saved != null) {
      rejections.restore(saved);
    }
    this.device = device;
    try {
      sources = new Sources(config);
    } catch (SourceException e) {
      pipelineThread.dispose();
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    stages = new Stages(sources.threads(), config.pipeline().parallelism());
    try {
      List<String> columns =
          resumed == null ? sources.columnNames().orElse(null) : resumed.columns();
      if (columns != null) {
        TrainingPipeline made = pipeline(columns, saved);
        receivedBefore = receivedRows(made);
        resumedRows = made.trainedRows();
        pipeline = made;
      } else if (saved != null) {
        throw new SourceException(
            "schema: a saved run cannot wait for a header; name the columns under format.csv.columns");
      }
    } catch (SourceException | CheckpointException | IllegalArgumentException e) {
      sources.close();
      pipelineThread.dispose();
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private static Scheduler pipelineThread() {
    return Schedulers.newSingle("penstock-pipeline", true);
  }

  /** Rows that came before the cut, all but the rejected ones. */
  private static long receivedRows(TrainingPipeline made) {
    return made.acceptedRows() + made.leftOutRows();
  }

  private TrainingPipeline pipeline(List<String> columns, @Nullable State saved) {
    double configured = config.optimizer().learningRate();
    double factor = saved == null ? 1 : Trainer.learningRateFactor(saved, configured);
    return pipeline(RunPlan.of(config.withLearningRate(configured * factor), columns), saved);
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
            () -> checkpoints != null && checkpoints.any(),
            this::poisoned,
            error -> fail(Causes.of(error)),
            this::end);
    return new TrainingPipeline(around, plan, beginning(saved));
  }

  private Start beginning(@Nullable State saved) {
    Checkpoints.Transfer transfer = checkpoints == null ? null : checkpoints.weights();
    return transfer == null || saved != null
        ? new Start(options.weights(), null, saved)
        : new Start(transfer.file(), transfer.fitted(), null);
  }

  @Override
  public void start() {
    startedNanos = clock.nanoTime();
    TrainingPipeline ready = pipeline;
    synchronized (this) {
      phase = Phase.RUNNING;
    }
    if (ready != null) {
      startCheckpoints(ready);
      ready.start();
    } else {
      startWithTheFirstHeader();
    }
    sources.fed().forEach(fed -> feeding.add(feed(fed)));
  }

  private void startWithTheFirstHeader() {
    sources
        .header(names -> RunPlan.of(config, names))
        .publishOn(pipelineThread)
        .map(plan -> pipeline(plan, null))
        .switchIfEmpty(Mono.fromRunnable(this::end)) // stopped before there was a header
        .subscribe(
            made -> {
              startCheckpoints(made);
              begin(made);
            },
            this::cannotBegin);
  }

  private synchronized void begin(TrainingPipeline made) {
    pipeline = made;
    made.start();
    if (phase != Phase.RUNNING) {
      made.stop();
    }
  }

  private void startCheckpoints(TrainingPipeline made) {
    pipeline = made;
    model.follow(new Trained(made));
    if (checkpoints != null) {
      checkpoints.start(new Cuts(), made::stillState);
    }
  }

  /** A pipeline as those see it who ask for predictions; after a rollback it is another one. */
  private final class Trained implements LiveModel.Origin {
    private final TrainingPipeline made;

    Trained(TrainingPipeline made) {
      this.made = made;
    }

    @Override
    public CompletableFuture<State> cut() {
      return phase.isEnd() ? CompletableFuture.completedFuture(made.stillState()) : made.cut();
    }

    @Override
    public long rows() {
      return made.trainedRows();
    }

    @Override
    public List<String> columns() {
      return made.names().columns();
    }
  }

  /** The pipeline as its checkpoints see it: after a rollback it is another one. */
  private final class Cuts implements Checkpoints.Run {
    private TrainingPipeline now() {
      return Objects.requireNonNull(pipeline);
    }

    @Override
    public CompletableFuture<State> cut() {
      return now().cut();
    }

    @Override
    public long rows() {
      return now().trainedRows();
    }

    @Override
    public void durable(State cut) {
      now().durable(cut);
    }

    @Override
    public long pauseNanos() {
      return now().snapshotNanos();
    }

    @Override
    public Checkpoints.Names names() {
      return now().names();
    }
  }

  /** Called on the device thread, which the rollback waits for. */
  private void poisoned(Poison poison) {
    Thread thread = new Thread(() -> goBack(poison), "penstock-rollback");
    thread.setDaemon(true);
    rollback = thread;
    thread.start();
  }

  private void goBack(Poison poison) {
    boolean replays = sources.replay();
    try {
      if (replays) {
        resumeWithout(poison);
      } else {
        restoreBehind(poison);
      }
    } catch (RuntimeException | Error e) {
      LOG.error("a rollback failed", e);
      try {
        fail("a rollback failed: " + Causes.of(e));
      } finally {
        if (replays) {
          end();
        }
      }
    }
  }

  /** Takes over what had been learnt before the rows that do harm, and goes on with those that come. */
  private void restoreBehind(Poison poison) {
    Checkpoints kept = Objects.requireNonNull(checkpoints);
    TrainingPipeline running = Objects.requireNonNull(pipeline);
    State cut = kept.goBack(poison, saved -> {}, running::goBack).state();
    model.follow(new Trained(running)); // its next cut comes behind
    LOG.warn(
        "{} in a row not trained on: going back to what had been learnt from {}; what was learnt since is lost",
        Texts.count(poison.skipped(), "minibatch"),
        Texts.count(cut.longs(Trainer.TRAINED)[0], "row"));
  }

  /** Resumes as after a crash, but for the rows that do harm. */
  private void resumeWithout(Poison poison) {
    TrainingPipeline spoilt = Objects.requireNonNull(pipeline);
    Checkpoints kept = Objects.requireNonNull(checkpoints);
    kept.leaveWay();
    long reached = spoilt.trainedRows();
    model.leave();
    spoilt.close();
    State known = spoilt.known();
    if (phase != Phase.RUNNING) {
      end();
      return;
    }
    Checkpoint from =
        kept.goBack(
            poison,
            saved -> {
              poison.leaveOut(saved);
              spoilt.adopt(saved, known);
            },
            saved -> {});
    State saved = from.state();
    pipelineThread = pipelineThread();
    sources = sources.reopened();
    TrainingPipeline made = pipeline(from.columns(), saved);
    LOG.warn(
        "{} in a row not trained on: going back from row {} to row {}, and on without the {} rows before and in them{}",
        Texts.count(poison.skipped(), "minibatch"),
        reached,
        made.trainedRows(),
        poison.rowCount(),
        poison.learningRateFactor() == 1
            ? ""
            : ", with %s of the learning rate".formatted(poison.learningRateFactor()));
    rejections.restore(saved);
    receivedBefore = receivedRows(made) - stages.ingest.rows();
    model.follow(new Trained(made));
    begin(made);
  }

  private void cannotBegin(Throwable error) {
    fail(Causes.of(error));
    end();
  }

  private Disposable feed(Sources.Fed fed) {
    TokenConfig token = fed.tcp().token();
    return Feed.to(fed.tcp().bind(), fed.port())
        .atRate(fed.feed().rate())
        .withToken(token == null ? null : token.read())
        .generator(fed.feed().generator(), fed.tcp().format().header())
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
    boolean first;
    synchronized (this) {
      first = phase == Phase.RUNNING;
      if (first) {
        phase = Phase.STOPPING;
      }
      current = pipeline;
    }
    if (current == null) {
      sources.close();
    } else if (first && checkpoints != null && failure == null) {
      stopAtACut(current, checkpoints);
    } else {
      current.stop();
    }
  }

  /** What is trained until then is saved; a trainer that does not come so far in time is stopped where it is. */
  private static void stopAtACut(TrainingPipeline current, Checkpoints checkpoints) {
    CompletableFuture<State> cut = current.cutAndEnd();
    checkpoints.writeLast(cut);
    var _ =
        cut.orTimeout(CUT_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete(
                (state, late) -> {
                  if (late != null) {
                    current.stop();
                  }
                });
  }

  /** A checkpoint now. */
  @Override
  public CompletableFuture<Checkpoints.Made> checkpoint() {
    return checkpoints == null
        ? CompletableFuture.failedFuture(
            new IllegalStateException("no checkpoint.directory is configured"))
        : checkpoints.request();
  }

  @Override
  public LiveModel model() {
    return model;
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

  private void end() {
    TrainingPipeline current = pipeline;
    if (checkpoints != null) {
      checkpoints.finish(current == null || failure != null ? null : current.endState());
    }
    endedNow();
  }

  private synchronized void endedNow() {
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
            receivedBefore + stages.ingest.rows(),
            rejections.entry(),
            config.evaluation().labelDelay(),
            stages.snapshot(),
            saved(),
            sources.refused(),
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

  private RunSnapshot.Saved saved() {
    if (checkpoints == null) {
      return RunSnapshot.Saved.NONE;
    }
    Checkpoints.Status status = checkpoints.status();
    Checkpoints.Made latest = status.latest();
    return latest == null
        ? new RunSnapshot.Saved(
            resumedRows,
            0,
            status.failed(),
            null,
            0,
            0,
            Double.NaN,
            Double.NaN,
            Double.NaN,
            status.failure())
        : new RunSnapshot.Saved(
            resumedRows,
            status.written(),
            status.failed(),
            latest.file().toString(),
            latest.rows(),
            latest.bytes(),
            latest.seconds(),
            status.pauseNanos() / 1e6,
            (clock.nanoTime() - status.latestNanos()) / 1e9,
            status.failure());
  }

  private double seconds(Phase now) {
    long until = now.isEnd() ? endedNanos : clock.nanoTime();
    return now == Phase.STARTING ? 0 : (until - startedNanos) / 1e9;
  }

  @Override
  public void close() {
    boolean started = phase != Phase.STARTING;
    stop();
    feeding.dispose();
    if (started && pipeline == null) {
      awaitPipeline();
    }
    awaitRollback();
    model.close();
    TrainingPipeline last = pipeline;
    if (last != null) {
      last.close();
    }
    sources.close();
    if (checkpoints != null) {
      checkpoints.close();
    }
    // What a connection sends on late is given back on this thread.
    pipelineThread.disposeGracefully().subscribe();
  }

  private void awaitRollback() {
    try {
      for (Thread last = rollback; last != null && last.isAlive(); last = rollback) {
        last.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
