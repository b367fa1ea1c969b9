package io.penstock.pipeline;

import io.penstock.pipeline.Source.Partition;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Many partitions as one stream on one thread, an item of each at a time: those of one source in the order of their arrival,
 * sources that have rows waiting in proportion to their shares (stride scheduling, Waldspurger and Weihl, 1995).
 *
 * <p>It stands for {@code flatMap} and {@code publishOn}, which give a block back twice or never when they are cancelled while
 * they emit. Here all items, those that come too late as well, go through one queue, which one thread at a time empties ({@link
 * SerialWork}). So an item is either sent on or given back, and once.
 */
final class Interleave extends Flux<StreamItem> implements Subscription, CoreSubscriber<Partition> {
  private static final Logger LOG = LoggerFactory.getLogger(Interleave.class);
  private static final AtomicLongFieldUpdater<Interleave> REQUESTED =
      AtomicLongFieldUpdater.newUpdater(Interleave.class, "requested");

  private final Flux<Partition> partitions;
  private final Consumer<StreamItem> pass;
  private final SerialWork work;

  /** At most one of each partition, and the barriers. */
  private final Queue<Arrival> arrived = new ConcurrentLinkedQueue<>();

  // Of the draining thread alone:
  private final Turns[] sources;
  private @Nullable Arrival barrier; // what came before it is sent on before it
  private double now; // the pass of the source that was served last

  private final Set<Inner> inners = ConcurrentHashMap.newKeySet();

  /** Streams that have not ended: the partitions and, for one, the stream of partitions. */
  private final AtomicInteger open = new AtomicInteger(1);

  private volatile long requested;
  private volatile @Nullable CoreSubscriber<? super StreamItem> actual;
  private volatile @Nullable Subscription upstream;
  private volatile @Nullable Throwable failure;
  private volatile boolean cancelled;

  private boolean terminated; // of the draining thread alone

  private record Arrival(StreamItem item, @Nullable Inner from) {}

  /** What has come of one source, and when it is its turn: the source with the lowest pass is served. */
  private static final class Turns {
    private final Queue<Arrival> waiting = new ArrayDeque<>();
    private final int share;
    private double pass;

    Turns(int share) {
      this.share = share;
    }
  }

  /**
   * The items of {@code partitions}; subscribed once.
   *
   * @param shares of the sources, by the index that their partitions' cursors have
   * @param pass sees each item before it is sent on
   * @param thread where items are sent on; runs one task at a time
   */
  Interleave(
      Flux<Partition> partitions,
      List<Integer> shares,
      Consumer<StreamItem> pass,
      Executor thread) {
    this.partitions = partitions;
    this.pass = pass;
    sources = shares.stream().map(Turns::new).toArray(Turns[]::new);
    work = new SerialWork(this::step, thread, this::threadEnded);
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> subscriber) {
    if (actual != null) {
      Operators.error(subscriber, new IllegalStateException("merged items are subscribed once"));
      return;
    }
    actual = subscriber;
    subscriber.onSubscribe(this);
    partitions.subscribe(this);
  }

  /** Lets a barrier take its place. After the end of the stream it is abandoned. */
  void insert(Barrier barrier) {
    arrived.add(new Arrival(barrier, null));
    work.ask();
  }

  @Override
  public void request(long n) {
    if (Operators.validate(n)) {
      Operators.addCap(REQUESTED, this, n);
      work.ask();
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
    work.ask();
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    upstream = subscription;
    if (cancelled) {
      subscription.cancel();
    } else {
      subscription.request(Long.MAX_VALUE);
    }
  }

  @Override
  public void onNext(Partition partition) {
    open.incrementAndGet();
    Inner inner = new Inner(partition.cursor().source());
    inners.add(inner);
    partition.items().subscribe(inner);
  }

  @Override
  public void onError(Throwable error) {
    failure = error;
    work.ask();
  }

  @Override
  public void onComplete() {
    oneEnded();
  }

  private void oneEnded() {
    if (open.decrementAndGet() == 0) {
      work.ask();
    }
  }

  private void threadEnded() {
    LOG.debug("the pipeline's thread has ended; clearing up on this one");
    cancelled = true;
  }

  private void step() {
    CoreSubscriber<? super StreamItem> subscriber = actual;
    if (subscriber == null) {
      return; // a barrier before the beginning waits
    }
    while (!terminated && !cancelled && failure == null && requested > 0) {
      Arrival next = nextInTurn();
      if (next == null) {
        break;
      }
      send(next, subscriber);
    }
    end(subscriber);
  }

  /** The oldest item of the source whose turn it is, or a barrier behind all that came before it; null where nothing has come. */
  private @Nullable Arrival nextInTurn() {
    sortArrived();
    Turns first = null;
    for (Turns source : sources) {
      if (!source.waiting.isEmpty() && (first == null || source.pass < first.pass)) {
        first = source;
      }
    }
    if (first == null) {
      Arrival passing = barrier;
      barrier = null;
      return passing;
    }
    Arrival next = first.waiting.remove();
    now = first.pass;
    if (next.item instanceof Block block) {
      first.pass += (double) block.rows() / first.share;
    }
    return next;
  }

  private void sortArrived() {
    Arrival next;
    while (barrier == null && (next = arrived.poll()) != null) {
      if (next.from == null) {
        barrier = next;
        return;
      }
      Turns source = sources[next.from.source];
      if (source.waiting.isEmpty()) {
        source.pass = Math.max(source.pass, now); // time without rows is not saved up
      }
      source.waiting.add(next);
    }
  }

  /** A subscriber must not throw; one that does all the same ends the stream, which would stand still otherwise. */
  private void send(Arrival next, CoreSubscriber<? super StreamItem> subscriber) {
    Operators.produced(REQUESTED, this, 1);
    try {
      pass.accept(next.item);
      subscriber.onNext(next.item);
    } catch (RuntimeException | Error e) {
      failure = e;
      return;
    }
    if (next.from != null) {
      next.from.more();
    }
  }

  /** Ends where there is no demand needed for it, and gives back what is left, now and after every end. */
  private void end(CoreSubscriber<? super StreamItem> subscriber) {
    Throwable error = failure;
    boolean completed = open.get() == 0 && nothingWaits();
    if (!terminated && (cancelled || error != null || completed)) {
      terminated = true;
      if (!cancelled) {
        if (error != null) {
          subscriber.onError(error);
        } else {
          subscriber.onComplete();
        }
      }
    }
    if (terminated) {
      giveBack();
    }
  }

  /** Asked behind {@code open}: what came before that is here. */
  private boolean nothingWaits() {
    sortArrived();
    boolean nothing = barrier == null;
    for (Turns source : sources) {
      nothing &= source.waiting.isEmpty();
    }
    return nothing;
  }

  private void giveBack() {
    Subscription outer = upstream;
    if (outer != null) {
      outer.cancel();
    }
    inners.forEach(Inner::cancel);
    RuntimeException why =
        cancelled
            ? new CancellationException("the run was stopped")
            : new IllegalStateException("no cut: the stream has ended");
    for (Arrival left = nextInTurn(); left != null; left = nextInTurn()) {
      Assembler.discard(left.item, why);
    }
  }

  /** One partition. */
  private final class Inner implements CoreSubscriber<StreamItem> {
    private final int source;
    private volatile @Nullable Subscription subscription;

    Inner(int source) {
      this.source = source;
    }

    @Override
    public void onSubscribe(Subscription given) {
      subscription = given;
      if (cancelled || failure != null) {
        given.cancel();
      } else {
        given.request(1);
      }
    }

    void more() {
      Subscription given = subscription;
      if (given != null) {
        given.request(1);
      }
    }

    void cancel() {
      Subscription given = subscription;
      if (given != null) {
        given.cancel();
      }
    }

    @Override
    public void onNext(StreamItem item) {
      arrived.add(new Arrival(item, this));
      work.ask();
    }

    @Override
    public void onError(Throwable error) {
      inners.remove(this);
      failure = error;
      work.ask();
    }

    @Override
    public void onComplete() {
      inners.remove(this);
      oneEnded();
    }
  }
}
