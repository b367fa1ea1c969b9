package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.penstock.ingest.codec.SourceException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
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
  private boolean watching; // nobody wants the bytes, but whether they come

  private @Nullable Looking<?> looking; // while it goes on
  private @Nullable ByteBuf seen; // what has come and is not used, until the subscriber asks for it
  private Runnable onIgnoredBytes = () -> {};

  /** A look at the beginning of what was received. */
  interface Look<T> {
    /**
     * Looks at all that has come and is not used.
     *
     * @param seen what lies before its reader index when this returns something is used up
     * @return null where more must come
     * @throws RuntimeException where it can come to nothing
     */
    @Nullable T at(ByteBuf seen);
  }

  private record Looking<T>(Look<T> look, String cutShort, MonoSink<T> found) {
    /** Whether it is over. */
    boolean at(ByteBuf seen) {
      T result;
      try {
        result = look.at(seen);
      } catch (RuntimeException e) {
        found.error(e);
        return true;
      }
      if (result != null) {
        found.success(result);
      }
      return result != null;
    }

    void endTooEarly() {
      found.error(new SourceException(cutShort));
    }
  }

  ConnectionBytes(EventLoop loop) {
    this.loop = loop;
  }

  /**
   * Reads until {@code look} has seen enough, and keeps what it did not use for the next look or the subscriber. To be
   * subscribed on the event loop, before the bytes themselves.
   *
   * @param cutShort why it fails, with a {@link SourceException}, where the connection ends first
   */
  <T> Mono<T> look(Look<T> look, String cutShort) {
    return Mono.create(
        found -> {
          looking = new Looking<>(look, cutShort, found);
          if (seen == null) {
            seen = Unpooled.buffer();
          } else {
            seen.discardReadBytes(); // a look begins at index 0
          }
          lookOn();
        });
  }

  private void lookOn() {
    Looking<?> current = looking;
    ByteBuf bytes = seen;
    if (current == null || bytes == null) {
      return;
    }
    looking = null; // a look that succeeds may lead to the next
    if (current.at(bytes)) {
      return;
    }
    if (ended) {
      current.endTooEarly();
    } else {
      looking = current;
      inbound.request(1);
    }
  }

  /**
   * Ends the bytes here, for the subscriber as if the connection had. What comes from now on is dropped, and so is what comes
   * after a cancellation.
   *
   * @param onIgnoredBytes called for what is dropped
   */
  void cutOff(Runnable onIgnoredBytes) {
    this.onIgnoredBytes = onIgnoredBytes;
    watching = true;
    looking = null;
    if (actual == null && seen != null) {
      seen.release();
      seen = null;
    }
    onComplete(); // first: what is dropped from here on must not reach the subscriber
    inbound.request(Long.MAX_VALUE);
  }

  /** Makes a cancellation by the subscriber stop its bytes and not the connection, see {@link #cutOff}. */
  void watchWhenCancelled(Runnable onIgnoredBytes) {
    this.onIgnoredBytes = onIgnoredBytes;
    watching = true;
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
    if (ended && seen == null) {
      end(subscriber);
    }
  }

  /** On the event loop. */
  @Override
  public void request(long n) {
    ByteBuf first = seen;
    CoreSubscriber<? super ByteBuf> subscriber = actual;
    if (first == null || subscriber == null) {
      inbound.request(n);
      return;
    }
    seen = null;
    subscriber.onNext(first);
    if (ended) {
      end(subscriber);
    } else if (n > 1) {
      inbound.request(n - 1);
    }
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
    looking = null;
    if (seen != null) {
      seen.release();
      seen = null;
    }
    if (!watching) {
      inbound.cancel();
    } else if (!ended) {
      inbound.request(Long.MAX_VALUE);
    }
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    inbound = subscription;
  }

  @Override
  public void onNext(ByteBuf bytes) {
    if (cancelled || ended) {
      onIgnoredBytes.run();
    } else if (looking != null && seen != null) {
      seen.writeBytes(bytes);
      lookOn();
    } else if (actual != null) {
      // Reactor Netty releases the buffer when this returns.
      actual.onNext(bytes.retain());
    }
  }

  @Override
  public void onError(Throwable error) {
    if (!ended) {
      failure = error;
    }
    onComplete();
  }

  @Override
  public void onComplete() {
    boolean first = !ended;
    ended = true;
    Looking<?> current = looking;
    if (current != null) {
      looking = null;
      current.endTooEarly();
    } else if (first && actual != null && seen == null) {
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
