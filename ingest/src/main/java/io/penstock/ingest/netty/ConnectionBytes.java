package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.penstock.ingest.codec.HeaderScanner;
import io.penstock.ingest.codec.SourceException;
import java.util.List;
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

  private @Nullable Peek peek; // while it goes on
  private @Nullable ByteBuf peeked; // what it has read, until the subscriber asks for it

  /** A look at the header, and who waits for it. */
  private record Peek(HeaderScanner scanner, MonoSink<List<String>> found) {}

  ConnectionBytes(EventLoop loop) {
    this.loop = loop;
  }

  /**
   * Reads until the header has come, and keeps what was read for the subscriber. To be subscribed on the event loop, once, and
   * before the bytes themselves.
   *
   * @return the names of the columns; fails with a {@link SourceException} where there is no header
   */
  Mono<List<String>> header(HeaderScanner scanner) {
    return Mono.create(
        found -> {
          peek = new Peek(scanner, found);
          peeked = Unpooled.buffer();
          if (ended) {
            peekEnded();
          } else {
            inbound.request(1);
          }
        });
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
    if (ended && peeked == null) {
      end(subscriber);
    }
  }

  /** On the event loop. */
  @Override
  public void request(long n) {
    ByteBuf first = peeked;
    CoreSubscriber<? super ByteBuf> subscriber = actual;
    if (first == null || subscriber == null) {
      inbound.request(n);
      return;
    }
    peeked = null;
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
    peek = null;
    if (peeked != null) {
      peeked.release();
      peeked = null;
    }
    inbound.cancel();
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    inbound = subscription;
  }

  @Override
  public void onNext(ByteBuf bytes) {
    if (cancelled) {
      return;
    }
    if (peek != null && peeked != null) {
      peeked.writeBytes(bytes);
      look(peek, peeked);
    } else if (actual != null) {
      // Reactor Netty releases the buffer when this returns.
      actual.onNext(bytes.retain());
    }
  }

  private void look(Peek looking, ByteBuf seen) {
    List<String> names;
    try {
      names = looking.scanner.scan(seen.array(), seen.readableBytes());
    } catch (SourceException e) {
      peek = null;
      looking.found.error(e);
      return;
    }
    if (names == null) {
      inbound.request(1);
    } else {
      peek = null;
      looking.found.success(names);
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
    if (peek != null) {
      peekEnded();
    } else if (actual != null && peeked == null) {
      end(actual);
    }
  }

  private void peekEnded() {
    Peek looking = peek;
    peek = null;
    if (looking != null) {
      looking.found.error(
          new SourceException(
              "no header: it ended before the line with the names of the columns did"));
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
