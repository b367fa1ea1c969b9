package io.penstock.ingest.netty;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Closes a connection on which no byte came for a time. Only time spent listening counts: a sender that is held back because
 * nothing is requested is not idle.
 */
final class IdleTimeout extends ChannelDuplexHandler {
  private final long timeoutNanos;
  private final Consumer<ChannelHandlerContext> onIdle;
  private long listeningSince;
  private @Nullable Future<?> check;

  IdleTimeout(Duration timeout, Consumer<ChannelHandlerContext> onIdle) {
    timeoutNanos = timeout.toNanos();
    this.onIdle = onIdle;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    listeningSince = now(context);
    checkIn(context, timeoutNanos);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (check != null) {
      check.cancel(false);
    }
  }

  /** Called when reading begins, after a pause or after bytes came. */
  @Override
  public void read(ChannelHandlerContext context) {
    listeningSince = now(context);
    context.read();
  }

  private void check(ChannelHandlerContext context) {
    if (!context.channel().config().isAutoRead()) {
      checkIn(context, timeoutNanos);
      return;
    }
    long left = listeningSince + timeoutNanos - now(context);
    if (left > 0) {
      checkIn(context, left);
    } else {
      onIdle.accept(context);
      var _ = context.close();
    }
  }

  private void checkIn(ChannelHandlerContext context, long delayNanos) {
    check = context.executor().schedule(() -> check(context), delayNanos, TimeUnit.NANOSECONDS);
  }

  private static long now(ChannelHandlerContext context) {
    return context.executor().ticker().nanoTime();
  }
}
