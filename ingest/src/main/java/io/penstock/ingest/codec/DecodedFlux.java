package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.ingest.codec.CsvDecoder.Progress;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.SerialWork;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Bytes decoded item by item, as they are requested. It asks upstream for one buffer when it has nothing left to decode, and
 * decodes at most one block ahead of demand, so that what is not wanted downstream is not read from the wire.
 */
public final class DecodedFlux extends Flux<StreamItem> {
  private static final Logger LOG = LoggerFactory.getLogger(DecodedFlux.class);

  private final Flux<ByteBuf> bytes;
  private final CsvDecoder decoder;
  private final SourceContext context;
  private final Executor resume;

  private DecodedFlux(
      Flux<ByteBuf> bytes, CsvDecoder decoder, SourceContext context, Executor resume) {
    this.bytes = bytes;
    this.decoder = decoder;
    this.context = context;
    this.resume = resume;
  }

  /**
   * Blocks of one partition, then {@link EndOfPartition}. To be subscribed once.
   *
   * <p>Of a decoder of lines no end of the partition is sent on.
   *
   * <p>A block is sent on when it is full, or when {@code bytes} has none at hand (its {@code request(1)} returned without an
   * {@code onNext}) and there is demand. When {@code bytes} fails, the rows that came whole are sent on, a torn last one is
   * rejected, and the partition ends as if it had been closed; a {@link SourceException} alone is passed on, behind those
   * rows. So is the decoder's own, for a header that does not fit the schema.
   *
   * @param bytes the partition, in order; each buffer becomes this operator's to release (for Reactor Netty:
   *     {@code receive().retain()})
   * @param resume runs tasks on the source's own thread, where {@code bytes} emits; may run them at once if called there
   */
  public static Flux<StreamItem> decode(
      Flux<ByteBuf> bytes, CsvDecoder decoder, SourceContext context, Executor resume) {
    return new DecodedFlux(bytes, decoder, context, resume);
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> actual) {
    bytes.subscribe(new Decoding(actual, decoder, context, resume));
  }

  /** The running operator. {@code step} does all work, on one thread at a time. */
  private static final class Decoding implements CoreSubscriber<ByteBuf>, Subscription {
    private static final AtomicLongFieldUpdater<Decoding> REQUESTED =
        AtomicLongFieldUpdater.newUpdater(Decoding.class, "requested");

    private final CoreSubscriber<? super StreamItem> actual;
    private final CsvDecoder decoder;
    private final SourceContext context;
    private final SerialWork work;
    private volatile long requested;

    private @Nullable Subscription upstream;
    private volatile @Nullable ByteBuf arrived; // at most one buffer is asked for at a time
    private volatile @Nullable Throwable failure;
    private volatile boolean completed;
    private volatile boolean cancelled;
    private volatile boolean blockFreed;

    // Of the draining thread alone:
    private ByteBuf current = Unpooled.EMPTY_BUFFER;
    private long currentNanos;
    private boolean awaitingBytes;
    private boolean awaitingBlock;
    private boolean stopped; // nothing more can be decoded
    private boolean terminated;
    private Idle idle = Idle.STARVED;
    private long idleSinceNanos;

    private enum Idle {
      STARVED,
      BLOCKED
    }

    Decoding(
        CoreSubscriber<? super StreamItem> actual,
        CsvDecoder decoder,
        SourceContext context,
        Executor resume) {
      this.actual = actual;
      this.decoder = decoder;
      this.context = context;
      work = new SerialWork(this::step, resume, Decoding::threadEnded);
    }

    @Override
    public Context currentContext() {
      return actual.currentContext();
    }

    @Override
    public void onSubscribe(Subscription subscription) {
      if (Operators.validate(upstream, subscription)) {
        upstream = subscription;
        idleSinceNanos = context.clock().nanoTime();
        actual.onSubscribe(this);
      }
    }

    @Override
    public void onNext(ByteBuf buffer) {
      if (completed || arrived != null) {
        buffer.release(); // against the rules of reactive streams, but no reason to leak
        return;
      }
      arrived = buffer;
      work.ask();
    }

    @Override
    public void onError(Throwable error) {
      failure = error;
      completed = true;
      work.ask();
    }

    @Override
    public void onComplete() {
      completed = true;
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

    private void onBlockFree() {
      blockFreed = true;
      work.ask();
    }

    private static void threadEnded() {
      LOG.debug("the source's thread has ended; clearing up on this one");
    }

    private void step() {
      long started = context.clock().nanoTime();
      if (!terminated) {
        countIdle(started - idleSinceNanos);
      }
      if (terminated || cancelled) {
        clear();
      } else if (!awaitingBlock || blockFreed) {
        awaitingBlock = false;
        blockFreed = false;
        advance();
      }
      idleSinceNanos = context.clock().nanoTime();
      context.ingest().busy(idleSinceNanos - started);
    }

    private void countIdle(long nanos) {
      if (idle == Idle.BLOCKED) {
        context.ingest().blocked(nanos);
      } else {
        context.ingest().starved(nanos);
      }
    }

    /** Decodes and sends until demand, bytes or blocks run out. */
    private void advance() {
      boolean going = true;
      while (going && !cancelled) {
        going =
            switch (decode()) {
              case BLOCK_FULL -> sendBlock();
              case NO_BLOCK -> awaitBlock();
              case STARVED -> takeBuffer() || (requested > 0 && sendBlock());
              case ENDED -> decoder.holdsRows() ? sendBlock() : end();
            };
      }
      if (cancelled) {
        clear();
      }
    }

    private Progress decode() {
      if (stopped) {
        return Progress.ENDED;
      }
      try {
        return decoder.decode(current, currentNanos);
      } catch (RuntimeException e) {
        failure = e; // a header that does not fit, or rejections that cannot be kept
        stopped = true;
        return Progress.ENDED;
      }
    }

    /** Sends on what the decoder holds; false where nobody asked for it, or it holds nothing. */
    private boolean sendBlock() {
      idle = requested == 0 ? Idle.BLOCKED : Idle.STARVED;
      Block block = requested == 0 ? null : decoder.takeBlock();
      if (block == null) {
        return false;
      }
      context.ingest().passed(block.rows(), 0);
      Operators.produced(REQUESTED, this, 1);
      actual.onNext(block);
      return true;
    }

    private boolean awaitBlock() {
      idle = Idle.BLOCKED;
      awaitingBlock = true;
      context.pool().whenFree(decoder.cursor(), this::onBlockFree);
      return false;
    }

    /** Goes on to the next buffer, or to the end; false where it has to come first. */
    private boolean takeBuffer() {
      current.release();
      current = Unpooled.EMPTY_BUFFER;
      if (!completed && !awaitingBytes) {
        awaitingBytes = true;
        upstream().request(1);
      }
      boolean last =
          completed; // read before the buffer: what came before the end must not be missed
      ByteBuf next = arrived;
      if (next != null) {
        arrived = null;
        awaitingBytes = false;
        current = next;
        currentNanos = context.clock().nanoTime();
        context.ingest().passed(0, next.readableBytes());
        return true;
      }
      if (last) {
        finish();
        return true;
      }
      idle = requested == 0 ? Idle.BLOCKED : Idle.STARVED;
      return false;
    }

    private void finish() {
      Throwable error = failure;
      if (error == null) {
        decoder.finish();
      } else if (error instanceof SourceException) {
        stopped = true;
      } else {
        LOG.warn(
            "source {}: a connection was lost; its whole rows are kept: {}",
            context.source(),
            error.toString());
        failure = null;
        decoder.finishTorn();
      }
    }

    private boolean end() {
      Throwable error = failure;
      boolean endsPartition = decoder.endsPartition();
      if (error == null && endsPartition && requested == 0) {
        idle = Idle.BLOCKED;
        return false;
      }
      clear();
      if (error != null) {
        actual.onError(error);
        return false;
      }
      if (endsPartition) {
        actual.onNext(new EndOfPartition(context.epoch(), decoder.cursor()));
      }
      actual.onComplete();
      return false;
    }

    /** Gives everything back; also what arrives afterwards. */
    private void clear() {
      if (!terminated) {
        terminated = true;
        upstream().cancel();
        decoder.release();
      }
      current.release();
      current = Unpooled.EMPTY_BUFFER;
      ByteBuf late = arrived;
      arrived = null;
      if (late != null) {
        late.release();
      }
      if (blockFreed) {
        blockFreed = false;
        passOnBlock();
      }
    }

    /** The pool wakes one waiter for a block; this one has no use for it any more, so it wakes the next. */
    private void passOnBlock() {
      Block unused = context.pool().tryAcquire(context.epoch(), decoder.cursor());
      if (unused != null) {
        unused.release();
      }
    }

    private Subscription upstream() {
      return Objects.requireNonNull(upstream, "onSubscribe comes first");
    }
  }
}
