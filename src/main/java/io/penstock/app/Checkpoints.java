package io.penstock.app;

import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.CheckpointDirectory.Written;
import io.penstock.app.checkpoint.CheckpointException;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.config.Config.CheckpointConfig;
import io.penstock.config.ConfigDifference;
import io.penstock.config.ConfigWriter;
import io.penstock.config.SourceConfig;
import io.penstock.pipeline.State;
import io.penstock.trainer.Poison;
import io.penstock.trainer.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run's checkpoints: the one that it goes on from, and the thread that writes new ones while training goes on. A checkpoint
 * that cannot be written is told loudly and tried again; it never stops the run.
 */
final class Checkpoints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

  /** How often the thread looks whether a checkpoint is due. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** From one attempt that failed to the next; the disk and the log shall not be flooded. */
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Config config;
  private final CheckpointConfig settings;
  private final CheckpointDirectory directory;
  private final EpochNanoClock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Thread thread = new Thread(this::work, "penstock-checkpoint");

  private @Nullable Checkpoint resumed;
  private @Nullable Transfer weights;
  private @Nullable Run run;
  private @Nullable CompletableFuture<Made> wanted;
  private volatile @Nullable CompletableFuture<State> last;
  private int untilDurable;
  private boolean ending;

  private volatile Status status = Status.NONE;
  private volatile boolean any;

  /** How often the run has gone back: a cut from before belongs to a way that it did not go. */
  private volatile int way;

  /** What the run went back to, as long as the disk has neither that nor a newer one. */
  private @Nullable Checkpoint unwritten;

  /** When the last checkpoint was begun, and at which row. */
  private volatile long begunNanos;

  private volatile long begunRows;

  /** What the checkpoints of a run are made of; called on the checkpoint thread. */
  interface Run {
    /** As {@link io.penstock.pipeline.Merge#cut}. */
    CompletableFuture<State> cut();

    /** Rows trained on so far. */
    long rows();

    /** Says that nothing before this cut is asked for again. */
    void durable(State cut);

    /** How long the last cut held up the device thread. */
    long pauseNanos();

    /** Names of the data's columns and of the model's inputs. */
    Names names();
  }

  /**
   * What a run that begins anew takes of one before it.
   *
   * @param file with the weights
   * @param fitted a cut with the fitted operators, where the features are still the same
   */
  record Transfer(Path file, @Nullable State fitted) {}

  /** Columns and features. */
  record Names(List<String> columns, List<String> features) {}

  /**
   * A checkpoint that was made.
   *
   * @param rows trained on before it
   * @param seconds from the wish for it until it was on the medium
   */
  record Made(Path file, long number, long rows, long bytes, double seconds) {}

  /**
   * How things stand.
   *
   * @param written since the start of this process
   * @param failed likewise
   * @param latest the newest that was written by this process
   * @param latestNanos when it was cut, nanoseconds since 1970
   * @param pauseNanos how long the device thread stood still for it
   * @param failure why the last attempt failed; null after one that did not
   */
  record Status(
      long written,
      long failed,
      @Nullable Made latest,
      long latestNanos,
      long pauseNanos,
      @Nullable String failure) {
    static final Status NONE = new Status(0, 0, null, 0, 0, null);
  }

  private Checkpoints(
      Config config,
      CheckpointConfig settings,
      CheckpointDirectory directory,
      EpochNanoClock clock) {
    this.config = config;
    this.settings = settings;
    this.directory = directory;
    this.clock = clock;
    thread.setDaemon(true);
  }

  /**
   * Takes the folder, and finds what the run goes on from; null where none is configured.
   *
   * @throws StartException where the folder cannot be used, or holds a run that this configuration cannot go on with
   */
  static @Nullable Checkpoints open(
      Config config, RunOptions.Beginning beginning, Disk disk, EpochNanoClock clock) {
    CheckpointConfig settings = config.checkpoint();
    if (settings == null) {
      return null;
    }
    try {
      CheckpointDirectory directory =
          new CheckpointDirectory(Path.of(settings.directory()), settings.keep(), disk);
      try {
        Checkpoints checkpoints = new Checkpoints(config, settings, directory, clock);
        checkpoints.begin(beginning);
        return checkpoints;
      } catch (CheckpointException | StartException e) {
        directory.close();
        throw e;
      }
    } catch (CheckpointException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private void begin(RunOptions.Beginning beginning) {
    switch (beginning) {
      case FRESH -> directory.supersede();
      case RESUMED -> {
        resumed = directory.resume().orElse(null);
        any = resumed != null;
        if (resumed != null) {
          requireSound(config, resumed);
        }
      }
      case WEIGHTS_ONLY -> {
        Checkpoint newest =
            directory
                .resume()
                .orElseThrow(
                    () ->
                        new StartException(
                            "--weights-only: %s has no checkpoint to take weights from"
                                .formatted(settings.directory())));
        weights =
            new Transfer(
                CheckpointDirectory.file(directory.supersede(), newest.number()),
                hasSameFeatures(newest) ? newest.state() : null);
      }
    }
  }

  private boolean hasSameFeatures(Checkpoint checkpoint) {
    List<String> differing =
        ConfigDifference.between(Config.parse(checkpoint.configuration()), config).stream()
            .map(ConfigDifference::key)
            .filter(key -> key.startsWith("schema") || key.startsWith("features"))
            .toList();
    if (!differing.isEmpty()) {
      LOG.info("operators begin anew, for these have changed: {}", differing);
    }
    return differing.isEmpty();
  }

  private static void requireSound(Config config, Checkpoint checkpoint) {
    List<ConfigDifference> differences =
        ConfigDifference.between(Config.parse(checkpoint.configuration()), config);
    List<ConfigDifference> unsound = differences.stream().filter(d -> !d.sound()).toList();
    if (!unsound.isEmpty()) {
      throw new StartException(
          "checkpoint.directory: the run saved in checkpoint %d had other settings, and cannot go on with these:%n%s%nPut them back, or begin with its weights (--weights-only) or anew (--fresh)"
              .formatted(
                  checkpoint.number(),
                  unsound.stream().map(d -> "  " + d).collect(Collectors.joining("\n"))));
    }
    for (ConfigDifference difference : differences) {
      LOG.info("going on with another {}", difference);
    }
  }

  /** What the run goes on from; null where it begins anew. */
  @Nullable Checkpoint resumed() {
    return resumed;
  }

  /** What the run takes of a run before it; null where it goes on from a checkpoint or begins anew. */
  @Nullable Transfer weights() {
    return weights;
  }

  Status status() {
    return status;
  }

  /**
   * Sets the thread to work, before the run begins. A run that may go back has a checkpoint from its very beginning.
   *
   * @param beginning what the run begins with
   */
  void start(Run started, Supplier<State> beginning) {
    run = started;
    if (!any && config.errors().rollbackAfter() > 0) {
      make(
          started,
          CompletableFuture.completedFuture(beginning.get()),
          way,
          new CompletableFuture<>());
    }
    directory.oldest().ifPresent(started::durable);
    thread.start();
  }

  /** Whether there is a checkpoint to go back to. Any thread. */
  boolean any() {
    return any;
  }

  /** Lets go of all cuts that are not written yet, and of what they hold: the run is going back. Before its pipeline is closed. */
  void leaveWay() {
    synchronized (directory) {
      way++;
    }
    changed();
  }

  /**
   * Finds the checkpoint that a run goes back to, and makes a new one of it: from then on the run goes on from that, whatever
   * happens. When the pipeline is closed, or at work.
   *
   * @param prepare changes what the run goes on from, before it is written
   * @param then is called before another cut can be made that is written
   * @throws CheckpointException where there is none
   */
  Checkpoint goBack(Poison poison, Consumer<State> prepare, Consumer<State> then) {
    leaveWay();
    synchronized (directory) {
      Checkpoint last = unwritten;
      Checkpoint base =
          last != null && poison.isBehind(last.state()) ? last : directory.goBack(poison::isBehind);
      poison.note(base.state());
      prepare.accept(base.state());
      Checkpoint found = base.withNumber(directory.nextNumber());
      begunNanos = clock.nanoTime();
      begunRows = base.state().longs(Trainer.TRAINED)[0];
      unwritten = found;
      try {
        directory.write(found);
        unwritten = null;
      } catch (IOException e) {
        failed(e);
      }
      then.accept(found.state());
      way++; // a cut that was asked for meanwhile may be from before
      return found;
    }
  }

  /** Asks for a checkpoint now; it is there when the future completes. One that is being made counts for all who ask then. */
  CompletableFuture<Made> request() {
    lock.lock();
    try {
      CompletableFuture<Made> asked = wanted == null ? new CompletableFuture<>() : wanted;
      if (ending) {
        asked.completeExceptionally(new CancellationException("the run has ended"));
      } else {
        wanted = asked;
        changed.signalAll();
      }
      return asked;
    } finally {
      lock.unlock();
    }
  }

  /** Asks for as many checkpoints as it takes until what is trained now is in the oldest, and so durable; returns at once. */
  void requestDurability() {
    lock.lock();
    try {
      untilDurable = settings.keep();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Writes this cut as the last one; nothing comes behind it. */
  void writeLast(CompletableFuture<State> cut) {
    lock.lock();
    try {
      last = cut;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all is written that is to be; on the thread that ends the run.
   *
   * @param state of a run that has trained on its whole stream, or null
   */
  void finish(@Nullable State state) {
    lock.lock();
    try {
      ending = true;
      last = state == null ? last : CompletableFuture.completedFuture(state);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void work() {
    Run of = Objects.requireNonNull(run);
    begunNanos = clock.nanoTime();
    begunRows = of.rows();
    while (true) {
      CompletableFuture<Made> asked = awaitDue(of);
      if (asked == null) {
        break;
      }
      begunNanos = clock.nanoTime();
      begunRows = of.rows();
      int from = way; // first: the cut may be of the way that is left meanwhile
      make(of, of.cut(), from, asked);
    }
    CompletableFuture<State> end = last;
    if (end != null) {
      make(of, end, way, new CompletableFuture<>());
      for (int i = 1; i < settings.keep() && lags(of); i++) {
        make(of, end, way, new CompletableFuture<>());
      }
    }
    CompletableFuture<Made> late = wanted;
    if (late != null) {
      late.completeExceptionally(new CancellationException("the run has ended"));
    }
  }

  /** Null when the run ends. */
  private @Nullable CompletableFuture<Made> awaitDue(Run of) {
    lock.lock();
    try {
      while (!ending && last == null) {
        CompletableFuture<Made> asked = wanted;
        wanted = null;
        if (asked != null || isDue(of)) {
          return asked == null ? new CompletableFuture<>() : asked;
        }
        var _ = changed.awaitNanos(LOOK_NANOS);
      }
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      lock.unlock();
    }
  }

  private boolean isDue(Run of) {
    long rows = of.rows();
    begunRows = Math.min(begunRows, rows); // a run that has gone back has fewer
    long more = rows - begunRows;
    long nanos = clock.nanoTime() - begunNanos;
    if (status.failure() != null && nanos < RETRY_NANOS) {
      return false;
    }
    if (untilDurable > 0) {
      untilDurable--;
      return true;
    }
    boolean byTime = !settings.every().isZero() && nanos >= settings.every().toNanos();
    return (byTime && (more > 0 || status.failure() != null || lags(of)))
        || (settings.everyRows() > 0 && more >= settings.everyRows());
  }

  /** Whether senders wait to hear that rows are durable, which only the oldest checkpoint makes them. */
  private boolean lags(Run of) {
    return config.allSources().values().stream()
            .anyMatch(source -> source instanceof SourceConfig.Tcp tcp && tcp.acknowledge() != null)
        && directory.oldest().map(cut -> cut.longs(Trainer.TRAINED)[0] < of.rows()).orElse(true);
  }

  private void make(Run of, CompletableFuture<State> cut, int from, CompletableFuture<Made> made) {
    long asked = clock.nanoTime();
    State state;
    try {
      awaitCut(cut, from);
      state = cut.getNow(null);
    } catch (CancellationException | CompletionException e) {
      // The stream ended first, or the run was stopped: then its end has a checkpoint of its own.
      made.completeExceptionally(e.getCause() == null ? e : e.getCause());
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      made.completeExceptionally(e);
      return;
    }
    if (state == null) {
      made.completeExceptionally(
          from == way ? new CancellationException("the run has ended") : goneBack());
      return;
    }
    try {
      synchronized (directory) {
        if (from == way) {
          made.complete(write(of, state, asked));
        } else {
          made.completeExceptionally(goneBack());
        }
      }
    } catch (IOException | RuntimeException e) {
      failed(e);
      made.completeExceptionally(e);
    } finally {
      state.release();
    }
  }

  private static CancellationException goneBack() {
    return new CancellationException("the run has just gone back to a checkpoint");
  }

  private void failed(Exception e) {
    Status before = status;
    String why = "checkpoint.directory: %s: %s".formatted(settings.directory(), Causes.of(e));
    LOG.error(
        "no checkpoint could be written; training goes on, what it learns is not safe ({})",
        why,
        e instanceof IOException ? null : e);
    status =
        new Status(
            before.written(),
            before.failed() + 1,
            before.latest(),
            before.latestNanos(),
            before.pauseNanos(),
            why);
  }

  /** Until it is whole, or never will be because nobody works any more. */
  private void awaitCut(CompletableFuture<State> cut, int from) throws InterruptedException {
    var _ = cut.whenComplete((state, why) -> changed());
    lock.lock();
    try {
      while (!cut.isDone() && !ending && from == way) {
        var _ = changed.awaitNanos(LOOK_NANOS);
      }
    } finally {
      lock.unlock();
    }
  }

  private void changed() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private Made write(Run of, State state, long asked) throws IOException {
    Names names = of.names();
    long number = directory.nextNumber();
    long rows = state.longs(Trainer.TRAINED)[0];
    Written written =
        directory.write(
            new Checkpoint(
                number,
                Instant.now(),
                Version.TEXT,
                ConfigWriter.yaml(config),
                names.columns(),
                names.features(),
                state));
    any = true;
    unwritten = null;
    double seconds = (clock.nanoTime() - asked) / 1e9;
    Made made = new Made(written.file(), number, rows, written.bytes(), seconds);
    status = new Status(status.written() + 1, status.failed(), made, asked, of.pauseNanos(), null);
    directory.oldest().ifPresent(of::durable);
    return made;
  }

  /** Lets the folder go; after {@link #finish} where the run has started. */
  @Override
  public void close() {
    if (thread.isAlive()) {
      finish(null);
    }
    directory.close();
  }
}
