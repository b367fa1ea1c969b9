package io.penstock.ingest.netty;

import io.penstock.pipeline.SerialWork;
import io.penstock.pipeline.StreamItem;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * The items of one producer: those of its connections, one after the other, as they come.
 *
 * <p>It stands for {@code concatMap}, which drops an item that is emitted while it is cancelled, and its block with it. Here an item
 * always goes on; what comes too late is the subscriber's to give back.
 */
final class ProducerItems extends Flux<StreamItem> implements Subscription {
  private static final AtomicLongFieldUpdater<ProducerItems> REQUESTED =
      AtomicLongFieldUpdater.newUpdater(ProducerItems.class, "requested");

  private final Queue<Flux<StreamItem>> connections = new ConcurrentLinkedQueue<>();
  private final SerialWork work = new SerialWork(this::step);

  /** Demand that no connection has been told of. */
  private volatile long requested;

  private volatile @Nullable CoreSubscriber<? super StreamItem> actual;
  private volatile boolean noMore;
  private volatile boolean cancelled;

  // Of the working thread alone:
  private @Nullable Inner current;
  private boolean terminated;

  /** Lets the items of a connection follow; false where nobody wants them any more. */
  boolean add(Flux<StreamItem> items) {
    if (noMore || cancelled) {
      return false;
    }
    connections.add(items);
    work.ask();
    return true;
  }

  /** Ends behind the connections that were added. */
  void complete() {
    noMore = true;
    work.ask();
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> subscriber) {
    if (actual != null) {
      Operators.error(subscriber, new IllegalStateException("a producer's items are read once"));
      return;
    }
    subscriber.onSubscribe(this);
    actual = subscriber;
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

  private void step() {
    CoreSubscriber<? super StreamItem> subscriber = actual;
    if (cancelled || terminated) {
      dropAll();
    } else if (subscriber != null) {
      advance(subscriber);
    }
  }

  private void advance(CoreSubscriber<? super StreamItem> subscriber) {
    Inner inner = current;
    if (inner != null && inner.ended) {
      Operators.addCap(REQUESTED, this, inner.outstanding.getAndSet(0));
      current = null;
      Throwable failure = inner.failure;
      if (failure != null) {
        terminated = true;
        subscriber.onError(failure);
        dropAll();
        return;
      }
    }
    if (current == null) {
      boolean last = noMore; // before the look: what was added before the end must not be missed
      Flux<StreamItem> next = connections.poll();
      if (next != null) {
        current = new Inner(subscriber);
        next.subscribe(current);
      } else if (last) {
        terminated = true;
        subscriber.onComplete();
      }
    } else {
      current.passDemand();
    }
  }

  private void dropAll() {
    if (current != null) {
      current.cancel();
    }
    for (Flux<StreamItem> left = connections.poll(); left != null; left = connections.poll()) {
      left.subscribe(new Unwanted());
    }
  }

  /** One connection. */
  private final class Inner implements CoreSubscriber<StreamItem> {
    private final CoreSubscriber<? super StreamItem> subscriber;
    private final AtomicLong outstanding = new AtomicLong();
    private volatile @Nullable Subscription subscription;
    private volatile @Nullable Throwable failure;
    private volatile boolean ended;

    Inner(CoreSubscriber<? super StreamItem> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public void onSubscribe(Subscription given) {
      subscription = given;
      work.ask();
    }

    /** On the working thread. */
    void passDemand() {
      Subscription given = subscription;
      long n = given == null ? 0 : REQUESTED.getAndSet(ProducerItems.this, 0);
      if (given != null && n > 0) {
        outstanding.accumulateAndGet(n, Operators::addCap);
        given.request(n);
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
      outstanding.decrementAndGet();
      subscriber.onNext(item);
    }

    @Override
    public void onError(Throwable error) {
      failure = error;
      onComplete();
    }

    @Override
    public void onComplete() {
      ended = true;
      work.ask();
    }
  }

  /** Cancels at once, so that whoever sends can clear up. */
  private static final class Unwanted extends BaseSubscriber<StreamItem> {
    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      subscription.cancel();
    }
  }
}
