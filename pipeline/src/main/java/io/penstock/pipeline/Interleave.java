package io.penstock.pipeline;

import io.penstock.pipeline.Source.Partition;
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
 * Many partitions as one stream on one thread, an item of each at a time, in the order of their arrival.
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

  /**
   * The items of {@code partitions}; subscribed once.
   *
   * @param pass sees each item before it is sent on
   * @param thread where items are sent on; runs one task at a time
   */
  Interleave(Flux<Partition> partitions, Consumer<StreamItem> pass, Executor thread) {
    this.partitions = partitions;
    this.pass = pass;
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
    Inner inner = new Inner();
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
      Arrival next = arrived.poll();
      if (next == null) {
        break;
      }
      send(next, subscriber);
    }
    end(subscriber);
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
    boolean completed = open.get() == 0 && arrived.isEmpty();
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
    for (Arrival left = arrived.poll(); left != null; left = arrived.poll()) {
      Assembler.discard(left.item, why);
    }
  }

  /** One partition. */
  private final class Inner implements CoreSubscriber<StreamItem> {
    private volatile @Nullable Subscription subscription;

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
