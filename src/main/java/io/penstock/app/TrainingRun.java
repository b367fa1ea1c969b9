package io.penstock.app;

import io.penstock.app.RunSnapshot.Memory;
import io.penstock.app.RunSnapshot.Outcome;
import io.penstock.app.RunSnapshot.Percentiles;
import io.penstock.app.RunSnapshot.Phase;
import io.penstock.app.RunSnapshot.Rows;
import io.penstock.app.RunSnapshot.Stage;
import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.netty.Feed;
import io.penstock.ingest.netty.TcpSource;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.TrainerStatus;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.OffsetEpochNanoClock;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** A run put together: source, merge, operators, assembler, ring, trainer, and the threads they work on. */
final class TrainingRun implements Run {
  private static final int EPOCH = 0;
  private static final double WARM_UP_SECONDS = 2;
  private static final long LONGEST_IDLE_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

  private final Config config;
  private final Rejections rejections;
  private final Device device;
  private final EpochNanoClock clock = new OffsetEpochNanoClock();

  private final StageMeter ingestMeter = new StageMeter("ingest");
  private final StageMeter operatorsMeter = new StageMeter("operators");
  private final StageMeter assemblerMeter = new StageMeter("assembler");
  private final StageMeter deviceMeter = new StageMeter("device");

  private final BlockPool pool;
  private final FeaturePlan plan;
  private final SlotRing ring;
  private final DeviceSession session;
  private final Source source;
  private final Merge merge;
  private final Scheduler pipelineThread = Schedulers.newSingle("penstock-pipeline", true);
  private final Scheduler operatorThreads;
  private final OperatorStage operators;
  private final Assembler assembler;
  private final Trainer trainer;
  private final AgentRunner deviceThread;
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile Phase phase = Phase.STARTING;
  private volatile @Nullable String failure;
  private volatile long startedNanos;
  private volatile long endedNanos;
  private volatile String weightsSha256 = "";
  private final Allocation allocation = new Allocation();
  private @Nullable Disposable feeding;

  /**
   * Puts a run together and opens its source: a listener listens from here on.
   *
   * @param saved the cut to go on from, or null to begin
   * @throws StartException where the configuration cannot be carried out here
   */
  TrainingRun(Config config, RunOptions options, Device device, @Nullable State saved) {
    this.config = config;
    this.device = device;
    rejections = options.rejections();
    try {
      BlockSchema schema = Sources.schema(config);
      plan = new FeaturePlan(schema, config.features());
      pool = new BlockPool(BlockLayout.of(schema), config.pipeline().memory());
      SlotLayout layout = SlotLayout.of(config.batch().size(), plan.features());
      ModelSpec model =
          ModelSpec.of(
              config.model(),
              config.loss(),
              config.optimizer(),
              config.schema().label(),
              plan.features());
      Program program = Lowering.lower(model, layout, config.evaluation().window());
      ring = new SlotRing(config.pipeline().slots(), layout, device.slotMemory());
      session = device.open(program, InitialParameters.of(model, config.seed()));
      source = Sources.open(config.source(), schema, context(saved));
    } catch (SourceException | IllegalArgumentException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    merge = new Merge(List.of(source), EPOCH);
    int workers = Math.max(1, config.pipeline().parallelism() - 1);
    operatorThreads = Schedulers.newParallel("penstock-operators", workers, true);
    operators =
        new OperatorStage(
            plan,
            config.pipeline().parallelism(),
            operatorThreads,
            clock::nanoTime,
            operatorsMeter);
    assembler =
        new Assembler(
            plan,
            ring,
            pipelineThread.createWorker(),
            config.batch().maxDelay(),
            options.maxRecords() == 0 ? Long.MAX_VALUE : options.maxRecords(),
            clock,
            assemblerMeter);
    trainer = new Trainer(ring, session, deviceMeter, clock::nanoTime, clock);
    if (saved != null) {
      plan.restore(saved.scope("operators"));
      assembler.restore(saved);
      trainer.restore(saved.scope(Trainer.SCOPE));
    }
    deviceThread =
        new AgentRunner(
            new BackoffIdleStrategy(10, 20, 1000, LONGEST_IDLE_NANOS),
            this::deviceFailed,
            null,
            new DeviceWork());
  }

  private void deviceFailed(Throwable error) {
    if (!(error instanceof AgentTerminationException)) {
      fail(Causes.of(error));
    }
  }

  private SourceContext context(@Nullable State saved) {
    Map<Integer, PartitionCursor> resume =
        saved == null
            ? Map.of()
            : Merge.cursors(saved, 0).stream()
                .collect(Collectors.toMap(PartitionCursor::partition, Function.identity()));
    return new SourceContext(0, EPOCH, pool, rejections, clock, ingestMeter, resume);
  }

  @Override
  public void start() {
    startedNanos = clock.nanoTime();
    phase = Phase.RUNNING;
    AgentRunner.startOnThread(
        deviceThread,
        task -> {
          Thread thread = new Thread(task, "penstock-device");
          thread.setDaemon(true);
          return thread;
        });
    merge
        .items()
        .publishOn(new LastingTasks(pipelineThread), 1)
        .transform(operators::apply)
        .doOnDiscard(StreamItem.class, TrainingRun::discard)
        .subscribe(assembler);
    if (config.source() instanceof SourceConfig.Tcp tcp && tcp.feed() != null) {
      feeding = feed(tcp, tcp.feed());
    }
  }

  private static void discard(StreamItem item) {
    Assembler.discard(item, new CancellationException("the run was stopped"));
  }

  private Disposable feed(SourceConfig.Tcp tcp, SourceConfig.FeedConfig feed) {
    return Feed.to(tcp.bind(), ((TcpSource) source).port())
        .atRate(feed.rate())
        .generator(feed.generator(), tcp.format().csv().header())
        .subscribe(sent -> {}, error -> fail(Causes.of(error)));
  }

  /** Cuts the run where it is: what is needed to go on from here, when the trainer has come here. */
  CompletableFuture<State> cut() {
    return merge.cut();
  }

  @Override
  public void stop() {
    if (phase == Phase.RUNNING) {
      phase = Phase.STOPPING;
    }
    assembler.stop();
    trainer.requestStop();
  }

  @Override
  public void fail(String reason) {
    if (failure == null) {
      failure = reason;
    }
    stop();
  }

  @Override
  public boolean awaitEnd(Duration timeout) throws InterruptedException {
    return ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public RunSnapshot snapshot() {
    TrainerStatus status = trainer.status();
    double seconds = seconds();
    long trained = status.rowsTrained();
    long rejected = rejections.count();
    long received = ingestMeter.rows() + rejected;
    warmUp(trained, seconds);
    return new RunSnapshot(
        phase,
        address(),
        device.name(),
        seconds,
        new Rows(
            received,
            trained,
            rejected,
            status.rowsSkipped(),
            Math.max(0, received - rejected - trained - status.rowsSkipped())),
        status.stepsApplied() + status.stepsSkipped(),
        status.loss(),
        metrics(status.evaluation().cumulative()),
        metrics(status.evaluation().windowed()),
        percentiles(status.stepNanos(), 1e3),
        percentiles(status.freshnessNanos(), 1e6),
        List.of(
            stage(ingestMeter, source instanceof TcpSource ? 2 : 1),
            stage(operatorsMeter, config.pipeline().parallelism()),
            stage(assemblerMeter, 1),
            stage(deviceMeter, 1)),
        memory(trained),
        new RunSnapshot.Copy(deviceMeter.bytes(), Double.NaN),
        outcome(status),
        failure);
  }

  private double seconds() {
    long until = phase.isEnd() ? endedNanos : clock.nanoTime();
    return phase == Phase.STARTING ? 0 : (until - startedNanos) / 1e9;
  }

  private String address() {
    return switch (config.source()) {
      case SourceConfig.Tcp tcp -> "tcp://" + tcp.bind() + ":" + ((TcpSource) source).port();
      case SourceConfig.File file -> "file " + file.path();
      case SourceConfig.Generator generator ->
          "generator " + generator.stream().name().toLowerCase(Locale.ROOT);
    };
  }

  private static RunSnapshot.Metrics metrics(Metrics m) {
    return new RunSnapshot.Metrics(
        m.accuracy(),
        m.kappa(),
        m.kappaT(),
        m.noChangeAccuracy(),
        m.majorityAccuracy(),
        m.logLoss(),
        m.mae(),
        m.rmse());
  }

  private static Percentiles percentiles(TrainerStatus.Quantiles nanos, double unit) {
    return new Percentiles(nanos.p50() / unit, nanos.p99() / unit);
  }

  private static Stage stage(StageMeter meter, int threads) {
    return new Stage(
        meter.name(),
        threads,
        meter.busyNanos(),
        meter.blockedNanos(),
        meter.starvedNanos(),
        meter.rows(),
        meter.bytes());
  }

  private Memory memory(long trained) {
    long blockBytes = pool.layout().byteSize();
    long slotBytes = ring.layout().byteSize();
    return new Memory(
        ring.fill(),
        ring.capacitySlots(),
        pool.held() * blockBytes,
        pool.capacityBlocks() * blockBytes,
        pool.held() * blockBytes + ring.fill() * slotBytes,
        allocation.perRow(trained));
  }

  private void warmUp(long trained, double seconds) {
    if (trained > 0 && seconds > WARM_UP_SECONDS && !phase.isEnd()) {
      allocation.begin(trained);
    }
  }

  private Outcome outcome(TrainerStatus status) {
    return new Outcome(
        List.of(
            new RunSnapshot.LedgerEntry("trained", status.rowsTrained(), status.trainedHash()),
            new RunSnapshot.LedgerEntry("skipped", status.rowsSkipped(), status.skippedHash())),
        weightsSha256);
  }

  /** The device thread's work: the trainer's, then the end of the run. */
  private final class DeviceWork implements Agent {
    @Override
    public String roleName() {
      return trainer.roleName();
    }

    @Override
    public int doWork() {
      if (assembler.finished()) {
        trainer.endOfStream();
      }
      int work = trainer.doWork();
      if (trainer.isDone()) {
        throw new AgentTerminationException();
      }
      return work;
    }

    /** However the work ended, by itself or by a fault. */
    @Override
    public void onClose() {
      trainer.onClose();
      weightsSha256 = session.weightsSha256();
      endedNanos = clock.nanoTime();
      Throwable broken = assembler.failure();
      if (failure == null && broken != null) {
        failure = Causes.of(broken);
      }
      allocation.end();
      phase = failure == null ? Phase.ENDED : Phase.FAILED;
      ended.countDown();
    }
  }

  @Override
  public void close() {
    stop();
    if (feeding != null) {
      feeding.dispose();
    }
    // The device thread ends by itself; it is started in start() or never.
    deviceThread.close();
    // What the pipeline holds is given back there, by what stop() has asked for; it needs the
    // operators' threads for a block in mid-work, and all of them the memory closed below.
    pipelineThread.disposeGracefully().block();
    operators.dispose();
    operatorThreads.dispose();
    session.close();
    ring.close();
    pool.close();
  }
}
