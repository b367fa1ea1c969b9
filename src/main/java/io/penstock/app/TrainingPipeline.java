package io.penstock.app;

import io.penstock.app.checkpoint.Weights;
import io.penstock.config.Config;
import io.penstock.config.SourceConfig;
import io.penstock.pipeline.Assembler;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.Source;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.trainer.DelayedEvaluation;
import io.penstock.trainer.Poison;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.TrainerStatus;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.model.InitialParameters;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** What rows pass on their way to the weights, put together for one schema: pool, operators, assembler, ring, trainer. */
final class TrainingPipeline implements AutoCloseable {
  private static final int EPOCH = 0;
  private static final long LONGEST_REHEARSAL_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long LONGEST_IDLE_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

  private final Surroundings around;
  private final BlockPool pool;
  private final SlotRing ring;
  private final DeviceSession session;
  private final List<String> columns;
  private final FeaturePlan features;
  private final Merge merge;
  private final Scheduler operatorThreads;
  private final OperatorStage operators;
  private final Assembler assembler;
  private final Trainer trainer;
  private final AgentRunner deviceThread;
  private final @Nullable Rehearsal rehearsal;

  /** How to close what was opened, the latest first. */
  private final Deque<Runnable> owned = new ArrayDeque<>();

  private volatile String weightsSha256 = "";
  private volatile boolean stopping;
  private volatile @Nullable State endState;

  /**
   * What the run has beside its pipeline.
   *
   * @param pipelineThread where operators and assembler work
   * @param checkpointWanted asks for a checkpoint soon; {@link SourceContext#NO_CHECKPOINTS} where none are kept
   * @param canGoBack whether there is a checkpoint to go back to
   * @param onPoison is told, on the device thread, which rows to do without. Where {@code sources} replay, all is done then that
   *     can be with them, and there is no {@code onEnd}
   * @param onFailure is told why the run cannot go on
   * @param onEnd runs once, on the device thread, when all is done
   */
  record Surroundings(
      Config config,
      RunOptions options,
      Sources sources,
      Device device,
      Stages stages,
      Scheduler pipelineThread,
      EpochNanoClock clock,
      Runnable checkpointWanted,
      BooleanSupplier canGoBack,
      Consumer<Poison> onPoison,
      Consumer<Throwable> onFailure,
      Runnable onEnd) {}

  /**
   * What a run begins with.
   *
   * @param weights file of the model's first weights; null: random ones, or those of the cut
   * @param fitted a cut whose fitted operators are taken over, or null
   * @param cut to go on from, or null
   */
  record Start(@Nullable Path weights, @Nullable State fitted, @Nullable State cut) {}

  /**
   * Where the rows are.
   *
   * @param poolHeldBytes blocks that somebody owns
   * @param slotBytes size of one slot
   */
  record Progress(
      TrainerStatus trainer,
      long poolHeldBytes,
      long poolCapacityBytes,
      int ringFill,
      int ringCapacity,
      long slotBytes,
      RunSnapshot.LedgerEntry leftOut,
      String weightsSha256) {}

  /**
   * Puts the pipeline together; nothing moves yet.
   *
   * @throws IllegalArgumentException where a block or a slot does not fit the memory it may have
   */
  TrainingPipeline(Surroundings around, RunPlan plan, Start start) {
    this.around = around;
    State saved = start.cut();
    Config config = around.config();
    // One for all: what the rehearsal compiled holds for the run only where the types are the same.
    NanoClock nanoClock = around.clock()::nanoTime;
    columns = plan.columns();
    features = plan.features();
    try {
      pool =
          owned(
              new BlockPool(
                  BlockLayout.of(plan.schema()),
                  config.pipeline().memory(),
                  Sources.shares(config)),
              BlockPool::close);
      ring =
          owned(
              new SlotRing(config.pipeline().slots(), plan.layout(), around.device().slotMemory()),
              SlotRing::close);
      session =
          owned(
              around.device().open(plan.program(), firstWeights(plan, start)),
              DeviceSession::close);
      List<Source> sources = around.sources().open(plan.schema(), i -> context(i, saved));
      merge = new Merge(sources, Sources.shares(config), EPOCH, around.pipelineThread()::schedule);
      int parallelism = config.pipeline().parallelism();
      operatorThreads =
          owned(
              Schedulers.newParallel("penstock-operators", Math.max(1, parallelism - 1), true),
              Scheduler::dispose);
      operators =
          owned(
              new OperatorStage(
                  plan.features(),
                  parallelism,
                  operatorThreads,
                  nanoClock,
                  around.stages().operators),
              OperatorStage::dispose);
      long maxRows = around.options().maxRecords();
      assembler =
          new Assembler(
              plan.features(),
              ring,
              around.pipelineThread().createWorker(),
              config.batch().maxDelay(),
              maxRows == 0 ? Long.MAX_VALUE : maxRows,
              around.clock(),
              around.stages().assembler);
      trainer = new Trainer(ring, session, around.stages().device, nanoClock, around.clock());
      trainer.guard(
          config.errors().rollbackAfter(),
          config.optimizer().learningRate(),
          around.canGoBack(),
          around.options().skippedRows());
      if (config.evaluation().labelDelay() > 0) {
        trainer.evaluate(
            owned(
                new DelayedEvaluation(session, config.evaluation().labelDelay()),
                DelayedEvaluation::close));
      }
      if (!around.sources().replay()) {
        trainer.goOn(around.onPoison());
      }
      merge.onLeftOut(around.options().skippedRows()::leftOut);
      State fitted = start.fitted();
      if (fitted != null) {
        features.restore(fitted.scope(OperatorStage.SCOPE));
      }
      if (saved != null) {
        merge.restore(saved);
        plan.features().restore(saved.scope(OperatorStage.SCOPE));
        assembler.restore(saved.scope(Assembler.SCOPE));
        trainer.restore(saved);
      }
      rehearsal = rehearsal(plan, nanoClock);
      deviceThread =
          new AgentRunner(
              new BackoffIdleStrategy(10, 20, 1000, LONGEST_IDLE_NANOS),
              this::deviceFailed,
              null,
              new DeviceWork());
    } catch (RuntimeException | Error e) {
      closeOwned();
      throw e;
    }
  }

  /** Nothing comes from a listener at once; a file is there already. */
  private @Nullable Rehearsal rehearsal(RunPlan plan, NanoClock nanoClock) {
    Config config = around.config();
    return around.device().isCompiledWhileRunning()
            && config.source() instanceof SourceConfig.Tcp tcp
        ? new Rehearsal(config, plan, tcp, around.device(), around.clock(), nanoClock)
        : null;
  }

  private float[] firstWeights(RunPlan plan, Start start) {
    return start.weights() == null || start.cut() != null
        ? InitialParameters.of(plan.model(), around.config().seed())
        : Weights.read(start.weights(), plan.program().parameters());
  }

  private <T> T owned(T part, Consumer<T> close) {
    owned.push(() -> close.accept(part));
    return part;
  }

  private void closeOwned() {
    while (!owned.isEmpty()) {
      owned.pop().run();
    }
  }

  private SourceContext context(int source, @Nullable State saved) {
    Map<Integer, PartitionCursor> resume =
        saved == null
            ? Map.of()
            : Merge.cursors(saved, source).stream()
                .collect(Collectors.toMap(PartitionCursor::partition, Function.identity()));
    return new SourceContext(
        source,
        EPOCH,
        pool,
        around.options().rejections(),
        around.clock(),
        around.stages().ingest,
        resume,
        saved == null ? null : Merge.scope(saved, source),
        around.checkpointWanted());
  }

  private void deviceFailed(Throwable error) {
    if (!(error instanceof AgentTerminationException)) {
      around.onFailure().accept(error);
    }
  }

  /** Sets the device thread to work, and asks for rows. */
  void start() {
    AgentRunner.startOnThread(
        deviceThread,
        task -> {
          Thread thread = new Thread(task, "penstock-device");
          thread.setDaemon(true);
          return thread;
        });
    merge.items().transform(operators::apply).subscribe(assembler);
  }

  /** Cuts the run where it is: what is needed to go on from here, when the trainer has come here. */
  CompletableFuture<State> cut() {
    return merge.cut();
  }

  /** Cuts the run as {@link #cut} does and ends it there. */
  CompletableFuture<State> cutAndEnd() {
    return merge.cutAndEnd();
  }

  /** Has operators and trainer take over an earlier cut, in mid-stream. */
  void goBack(State cut) {
    var _ = merge.goBack(cut);
  }

  /** Who sends by now, under which number, and which rows are left out. When it is closed. */
  State known() {
    return merge.known();
  }

  /** Makes {@code cut} know that. */
  void adopt(State cut, State later) {
    merge.adopt(cut, later);
  }

  /** What a barrier would collect where nothing moves: before the beginning, and after the end. */
  State stillState() {
    State state = new State();
    merge.save(state);
    features.save(state.scope(OperatorStage.SCOPE));
    assembler.save(state.scope(Assembler.SCOPE));
    trainer.save(state);
    return state;
  }

  /** The state of a run that has trained on its whole stream, once it has ended; null for any other. */
  @Nullable State endState() {
    return endState;
  }

  /** Says that no run will resume from before {@code cut}: senders that wait for it are told. Any thread. */
  void durable(State cut) {
    merge.durable(cut);
  }

  /** Ends after the step in flight; returns at once. */
  void stop() {
    stopping = true;
    assembler.stop();
    trainer.requestStop();
  }

  /** Whether no further row is wanted: the stream has ended, or there were enough. */
  boolean hasAllRows() {
    return assembler.finished();
  }

  /** Rows left out after rollbacks, likewise. */
  long leftOutRows() {
    return merge.leftOut().rows();
  }

  /** Rows taken from the stream so far, those before the cut that the run goes on from included. */
  long acceptedRows() {
    return assembler.acceptedRows();
  }

  /** Rows trained on so far, likewise. */
  long trainedRows() {
    return trainer.rowsTrained();
  }

  /** Names of the data's columns and of the model's inputs. */
  Checkpoints.Names names() {
    return new Checkpoints.Names(columns, features.names());
  }

  /** How long the last cut held up the device thread, in nanoseconds. */
  long snapshotNanos() {
    return trainer.snapshotNanos();
  }

  Progress progress() {
    long blockBytes = pool.layout().byteSize();
    RowTally leftOut = merge.leftOut();
    return new Progress(
        trainer.status(),
        pool.held() * blockBytes,
        pool.capacityBlocks() * blockBytes,
        ring.fill(),
        ring.capacitySlots(),
        ring.layout().byteSize(),
        new RunSnapshot.LedgerEntry("leftOut", leftOut.rows(), leftOut.hash()),
        weightsSha256);
  }

  /** The device thread's work: the trainer's, then the end of the run. */
  private final class DeviceWork implements Agent {
    @Override
    public String roleName() {
      return trainer.roleName();
    }

    /** While nothing has come yet, the code gets up to speed. */
    @Override
    public void onStart() {
      if (rehearsal != null) {
        long until = around.clock().nanoTime() + LONGEST_REHEARSAL_NANOS;
        rehearsal.until(
            () ->
                pool.held() > 0
                    || stopping
                    || assembler.finished()
                    || around.clock().nanoTime() > until);
      }
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
      Poison poison = trainer.poison();
      if (poison != null && around.sources().replay() && !stopping && assembler.failure() == null) {
        around.onPoison().accept(poison);
        return;
      }
      weightsSha256 = session.weightsSha256();
      if (assembler.exhausted() && ring.fill() == 0 && poison == null) {
        endState = stillState();
      }
      Throwable broken = assembler.failure();
      if (broken != null) {
        around.onFailure().accept(broken);
      }
      around.onEnd().run();
    }
  }

  @Override
  public void close() {
    stop();
    // The device thread ends by itself; it is started in start() or never.
    deviceThread.close();
    // What the pipeline holds is given back there, by what stop() has asked for; it needs the
    // operators' threads for a block in mid-work, and all of them the memory closed below.
    around.pipelineThread().disposeGracefully().block();
    closeOwned();
  }
}
