package io.penstock.app;

import io.penstock.app.FittedModel.Cut;
import io.penstock.config.Config;
import io.penstock.pipeline.State;
import io.penstock.trainer.Histogram;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;

/**
 * The model of a run in training, as it answers: from the weights and operators of one cut, which is taken anew when somebody
 * asks and the last has come of age. It costs nothing where nobody does.
 *
 * <p>At half of {@code predictions.maxAge} the next cut is asked for, while answers go on by the last; beyond it they wait for the
 * next, though never for long: the trainer may stand still, or be far behind. There is one copy of weights and operators, which the next cut's
 * replaces between two requests.
 */
final class LiveModel implements AutoCloseable {
  private static final long LONGEST_WAIT_MILLIS = 1000;

  /** Where there is nothing yet that could be answered with. */
  private static final long LONGEST_FIRST_WAIT_MILLIS = 10_000;

  /** Requests that may wait for the thread; further ones are told to come again. */
  private static final int MOST_WAITING = 1024;

  private static final CompletableFuture<@Nullable Void> NOW =
      CompletableFuture.completedFuture(null);

  private final Config config;
  private final EpochNanoClock clock;
  private final ThreadPoolExecutor thread;
  private final Object loading = new Object();
  private final Histogram answerNanos = new Histogram();
  private @Nullable Origin origin;
  private @Nullable FittedModel model;
  private @Nullable Cut loaded;
  private @Nullable CompletableFuture<@Nullable Void> refreshing;

  /** How often the run has gone another way: cuts from before are not of this one. */
  private int way;

  private long requests;
  private long refusedRequests;
  private long rows;
  private long refusedRows;

  /** What is trained. */
  interface Origin {
    /** As {@link io.penstock.pipeline.Merge#cut}; after the end, what has come of it. */
    CompletableFuture<State> cut();

    /** Rows trained on so far. */
    long rows();

    /** Names of the data's columns; empty where the schema gives them. */
    List<String> columns();
  }

  /** There is nothing to answer with yet. */
  static final class NoModel extends RuntimeException {
    private static final long serialVersionUID = 1;

    NoModel(String why) {
      super(why);
    }
  }

  /**
   * How things stand.
   *
   * @param refused requests that were not answered
   * @param refusedRows rows that could not be used
   * @param p50Nanos of a request, from its last byte to the answer; NaN before the first
   * @param ageSeconds of what answers are made with; NaN before the first
   */
  record Status(
      long requests,
      long refused,
      long rows,
      long refusedRows,
      double p50Nanos,
      double p99Nanos,
      double ageSeconds) {}

  LiveModel(Config config, EpochNanoClock clock) {
    this.config = config;
    this.clock = clock;
    thread =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.MINUTES,
            new LinkedBlockingQueue<>(MOST_WAITING),
            task -> {
              Thread made = new Thread(task, "penstock-predict");
              made.setDaemon(true);
              return made;
            });
    thread.allowCoreThreadTimeOut(true);
  }

  /** Answers from {@code next} from now on, and from nothing that was before. */
  void follow(Origin next) {
    leave(next);
  }

  /** Answers from nothing until {@link #follow}; afterwards no cut of what it followed is being read. */
  void leave() {
    leave(null);
  }

  private void leave(@Nullable Origin next) {
    synchronized (loading) {
      synchronized (this) {
        way++;
        origin = next;
        loaded = null;
        refreshing = null;
      }
    }
  }

  /** Where requests are answered. */
  Executor thread() {
    return thread;
  }

  /** Completes when there is something to answer with that is as young as it must be; fails with {@link NoModel}. */
  CompletableFuture<@Nullable Void> ready() {
    CompletableFuture<@Nullable Void> coming;
    boolean usable;
    synchronized (this) {
      Origin now = origin;
      if (now == null) {
        return CompletableFuture.failedFuture(
            new NoModel("no model yet: the columns are known with the first header"));
      }
      long trained = now.rows();
      if (trained == 0) {
        return CompletableFuture.failedFuture(
            new NoModel("no model yet: no row has been trained on"));
      }
      long maxAge = config.predictions().maxAge().toNanos();
      long age = loaded == null ? Long.MAX_VALUE : clock.nanoTime() - loaded.nanos();
      if ((loaded != null && loaded.rows() == trained) || age < maxAge / 2) {
        return NOW;
      }
      coming = refreshing == null ? refresh(now) : refreshing;
      usable = loaded != null;
      if (usable && age <= maxAge) {
        return NOW;
      }
    }
    return usable
        ? within(coming, LONGEST_WAIT_MILLIS).exceptionally(late -> null)
        : within(coming, LONGEST_FIRST_WAIT_MILLIS).exceptionally(LiveModel::notYet);
  }

  private static CompletableFuture<@Nullable Void> within(
      CompletableFuture<@Nullable Void> coming, long millis) {
    return coming.copy().orTimeout(millis, TimeUnit.MILLISECONDS);
  }

  private static @Nullable Void notYet(Throwable failure) {
    Throwable why = cause(failure);
    throw new NoModel(
        "no model yet: "
            + (why instanceof TimeoutException
                ? "the trainer has not come to a cut"
                : Causes.of(why)));
  }

  private CompletableFuture<@Nullable Void> refresh(Origin now) {
    int mine = way;
    CompletableFuture<@Nullable Void> next = new CompletableFuture<>();
    refreshing = next;
    var _ =
        now.cut()
            .thenApply(state -> new Taken(state, clock.nanoTime()))
            .thenCompose(taken -> loading(mine, now, taken))
            .whenComplete(
                (done, failure) -> {
                  synchronized (this) {
                    refreshing = way == mine ? null : refreshing;
                  }
                  if (failure == null) {
                    next.complete(null);
                  } else {
                    next.completeExceptionally(failure);
                  }
                });
    return next;
  }

  /** The cut is given back in any case, also where too many requests wait for the thread to take it over. */
  private CompletableFuture<@Nullable Void> loading(int mine, Origin from, Taken taken) {
    CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    try {
      thread.execute(
          () -> {
            try {
              load(mine, from, taken);
              done.complete(null);
            } catch (RuntimeException | Error e) {
              done.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      taken.state.release();
      done.completeExceptionally(new NoModel("too many requests wait"));
    }
    return done;
  }

  /** A cut with the time it was taken at, which the device thread tells. */
  private record Taken(State state, long nanos) {}

  private void load(int mine, Origin from, Taken taken) {
    synchronized (loading) {
      try {
        if (isOnWay(mine)) {
          FittedModel fitted = model(from);
          Cut cut = fitted.load(taken.state, taken.nanos);
          synchronized (this) {
            loaded = cut;
          }
        }
      } finally {
        taken.state.release();
      }
    }
  }

  private synchronized boolean isOnWay(int mine) {
    return way == mine;
  }

  /** Made without the lock that those hold who ask: it takes a while, once. */
  private FittedModel model(Origin from) {
    FittedModel made;
    synchronized (this) {
      made = model;
    }
    if (made == null) {
      made = new FittedModel(config, from.columns());
      synchronized (this) {
        model = made;
      }
    }
    return made;
  }

  /**
   * Answers rows; after {@link #ready}.
   *
   * @param began when the request had come
   * @return by which weights
   * @throws NoModel where there is nothing to answer with any more
   */
  Cut answer(FittedModel.Rows asked, AnswerWriter to, long began) throws IOException {
    Cut by = fitted().answer(asked, config.predictions().maxRows(), to);
    count(to, began);
    return by;
  }

  /**
   * Answers as {@link #answer} does, where that takes microseconds.
   *
   * @param bytes of the rows
   * @return whether it was so; otherwise nothing is read
   */
  boolean answerAtOnce(FittedModel.Rows asked, int bytes, AnswerWriter to, long began)
      throws IOException {
    boolean done = fitted().answerAtOnce(asked, bytes, config.predictions().maxRows(), to) != null;
    if (done) {
      count(to, began);
    }
    return done;
  }

  private synchronized FittedModel fitted() {
    if (model == null || loaded == null) {
      throw new NoModel("no model at the moment: the run has gone back, or has ended");
    }
    return model;
  }

  private synchronized void count(AnswerWriter answered, long began) {
    requests++;
    rows += answered.rows();
    refusedRows += answered.refused();
    answerNanos.add(clock.nanoTime() - began, 1);
  }

  /** Counts a request that could not be answered. */
  synchronized void refused() {
    requests++;
    refusedRequests++;
  }

  /** A cut as answers tell it. */
  synchronized Model.Snapshot describe(Cut cut) {
    Origin now = origin;
    return new Model.Snapshot(
        config.name(),
        cut.rows(),
        now == null ? 0 : Math.max(0, now.rows() - cut.rows()),
        Math.max(0, clock.nanoTime() - cut.nanos()) / 1e9);
  }

  /** As the run's clock has it. */
  long nanoTime() {
    return clock.nanoTime();
  }

  /** Bound on the bytes of a request. */
  int maxBytes() {
    return config.predictions().maxBytes();
  }

  synchronized Status status() {
    return new Status(
        requests,
        refusedRequests,
        rows,
        refusedRows,
        answerNanos.quantile(0.5),
        answerNanos.quantile(0.99),
        loaded == null ? Double.NaN : (clock.nanoTime() - loaded.nanos()) / 1e9);
  }

  @Override
  public void close() {
    leave();
    thread.shutdown();
    FittedModel last;
    synchronized (this) {
      last = model;
    }
    if (last != null) {
      last.close();
    }
  }

  /** What a future failed with. */
  static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException wrapped && wrapped.getCause() != null
        ? Objects.requireNonNull(wrapped.getCause())
        : failure;
  }
}
