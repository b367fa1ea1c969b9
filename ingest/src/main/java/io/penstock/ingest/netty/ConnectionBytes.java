package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * What one connection receives, held open for a subscriber that comes later: Reactor Netty drops what arrived if the peer
 * closes before anyone subscribed. Subscribed to the inbound at once, it requests nothing by itself. Each buffer is the
 * subscriber's to release. All state is confined to the event loop.
 */
final class ConnectionBytes extends Flux<ByteBuf> implements CoreSubscriber<ByteBuf>, Subscription {
  private final EventLoop loop;
  private Subscription inbound = Operators.emptySubscription();
  private @Nullable CoreSubscriber<? super ByteBuf> actual;
  private @Nullable Throwable failure;
  private boolean ended;
  private boolean cancelled;

  ConnectionBytes(EventLoop loop) {
    this.loop = loop;
  }

  @Override
  public void subscribe(CoreSubscriber<? super ByteBuf> subscriber) {
    if (loop.inEventLoop()) {
      attach(subscriber);
    } else {
      loop.execute(() -> attach(subscriber));
    }
  }

  private void attach(CoreSubscriber<? super ByteBuf> subscriber) {
    if (actual != null) {
      Operators.error(subscriber, new IllegalStateException("a connection is read once"));
      return;
    }
    actual = subscriber;
    subscriber.onSubscribe(this);
    if (ended) {
      end(subscriber);
    }
  }

  @Override
  public void request(long n) {
    inbound.request(n);
  }

  @Override
  public void cancel() {
    if (loop.inEventLoop()) {
      cancelInbound();
    } else {
      loop.execute(this::cancelInbound);
    }
  }

  private void cancelInbound() {
    cancelled = true;
    inbound.cancel();
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    inbound = subscription;
  }

  @Override
  public void onNext(ByteBuf bytes) {
    if (actual != null && !cancelled) {
      // Reactor Netty releases the buffer when this returns.
      actual.onNext(bytes.retain());
    }
  }

  @Override
  public void onError(Throwable error) {
    failure = error;
    onComplete();
  }

  @Override
  public void onComplete() {
    ended = true;
    if (actual != null) {
      end(actual);
    }
  }

  private void end(CoreSubscriber<? super ByteBuf> subscriber) {
    if (cancelled) {
      return;
    }
    if (failure != null) {
      subscriber.onError(failure);
    } else {
      subscriber.onComplete();
    }
  }
}
