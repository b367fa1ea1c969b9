package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.FileRegion;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.penstock.config.Token;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.MonoSink;

/**
 * Sends a body as fast as the pacer allows and the receiver takes it, half-closes, and waits for the receiver to close: then
 * all has been read.
 */
final class FeedHandler extends ChannelInboundHandlerAdapter {
  /** Pieces that are written and not yet with the kernel: file regions do not count for the channel's writability. */
  private static final int MOST_IN_FLIGHT = 8;

  /** After so many pieces the loop looks at its other tasks: cancellation, a reset. */
  private static final int PIECES_A_TURN = 32;

  private static final int LONGEST_REFUSAL = 1024;

  private final FeedBody body;
  private final double linesPerSecond;
  private final @Nullable Token token;
  private final MonoSink<FeedResult> result;

  /** What the receiver said: nothing, unless it takes no rows. */
  private final StringBuilder said = new StringBuilder();

  private @Nullable Pacer pacer;
  private @Nullable Future<?> pause;
  private int inFlight;
  private long sentBytes;
  private long openedAt;
  private boolean sending;
  private boolean halfClosed;
  private boolean over;

  FeedHandler(
      FeedBody body, double linesPerSecond, @Nullable Token token, MonoSink<FeedResult> result) {
    this.body = body;
    this.linesPerSecond = linesPerSecond;
    this.token = token;
    this.result = result;
  }

  /** Nobody waits for the result any more. On the event loop. */
  void stop() {
    over = true;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    openedAt = now(context);
    pacer = new Pacer(linesPerSecond, openedAt);
    if (token != null) {
      String line = TokenCheck.WORD + token.secret() + '\n';
      var _ = context.write(Unpooled.copiedBuffer(line, StandardCharsets.US_ASCII));
      context.flush(); // there may be no rows
    }
    send(context);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    send(context);
  }

  /** Runs into itself when a write completes at once; the outer call goes on then. */
  private void send(ChannelHandlerContext context) {
    if (sending || over || halfClosed) {
      return;
    }
    sending = true;
    try {
      sendPieces(context);
    } catch (IOException | RuntimeException e) {
      fail(context, "cannot read what is to be sent", e);
    } finally {
      sending = false;
    }
  }

  private void sendPieces(ChannelHandlerContext context) throws IOException {
    for (int pieces = 0; !over && context.channel().isWritable(); pieces++) {
      if (body.ended()) {
        if (inFlight == 0) {
          halfClose(context);
        }
        return;
      }
      if (inFlight == MOST_IN_FLIGHT) {
        return;
      }
      if (pieces == PIECES_A_TURN) {
        context.executor().execute(() -> send(context));
        return;
      }
      if (!sendPiece(context)) {
        return;
      }
    }
  }

  private boolean sendPiece(ChannelHandlerContext context) throws IOException {
    Pacer pacer = Objects.requireNonNull(this.pacer);
    long allowance = pacer.allowance(now(context));
    if (allowance == 0) {
      pause(context, pacer.pauseNanos());
      return false;
    }
    long linesBefore = body.lines();
    Object piece = body.next(context.alloc(), allowance);
    pacer.sent(body.lines() - linesBefore);
    write(context, piece);
    return true;
  }

  private void write(ChannelHandlerContext context, Object piece) {
    long bytes =
        piece instanceof FileRegion region ? region.count() : ((ByteBuf) piece).readableBytes();
    inFlight++;
    context
        .writeAndFlush(piece)
        .addListener(
            written -> {
              inFlight--;
              if (written.isSuccess()) {
                sentBytes += bytes;
                send(context);
              } else {
                sentBytes += piece instanceof FileRegion region ? region.transferred() : 0;
                fail(context, "connection lost", written.cause());
              }
            });
  }

  private void pause(ChannelHandlerContext context, long nanos) {
    if (pause == null) {
      pause = context.executor().schedule(() -> resume(context), nanos, TimeUnit.NANOSECONDS);
    }
  }

  private void resume(ChannelHandlerContext context) {
    // Not isDone(): while it runs, the task is not done, and a further pause would be left out.
    pause = null;
    send(context);
  }

  private void halfClose(ChannelHandlerContext context) {
    halfClosed = true;
    var _ = ((DuplexChannel) context.channel()).shutdownOutput();
  }

  /** A receiver has nothing to say, but why it takes no rows. */
  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    int length = Math.min(bytes.readableBytes(), LONGEST_REFUSAL - said.length());
    said.append(bytes.toString(bytes.readerIndex(), length, StandardCharsets.UTF_8));
    ReferenceCountUtil.release(message);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    fail(context, "connection lost", cause);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (!halfClosed || isRefused()) {
      fail(context, "connection lost", new EOFException("closed by the receiver"));
    } else if (!over) {
      over = true;
      result.success(
          new FeedResult(
              Math.max(0, body.lines() - body.headerLines()),
              sentBytes,
              (now(context) - openedAt) / 1e9));
    }
  }

  private void fail(ChannelHandlerContext context, String what, Throwable cause) {
    if (over) {
      return;
    }
    over = true;
    Channel channel = context.channel();
    if (isRefused()) {
      result.error(
          new FeedException(
              "feed to %s: refused: %s".formatted(channel.remoteAddress(), said.toString().strip()),
              cause));
      var _ = channel.close();
      return;
    }
    result.error(
        new FeedException(
            "feed to %s: %s after %d bytes%s: %s"
                .formatted(
                    channel.remoteAddress(),
                    what,
                    sentBytes,
                    halfClosed ? ", before all of them were read" : "",
                    cause.getMessage()),
            cause));
    var _ = channel.close();
  }

  private boolean isRefused() {
    return said.indexOf("error ") == 0;
  }

  private static long now(ChannelHandlerContext context) {
    return context.executor().ticker().nanoTime();
  }
}
