package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StreamItem;
import java.util.concurrent.Executor;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;

/**
 * Bytes decoded item by item, as they are requested. It asks upstream for one buffer when it has nothing left to decode, so
 * that what is not wanted downstream is not read from the wire.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class DecodedFlux extends Flux<StreamItem> {
  private DecodedFlux() {}

  /**
   * Blocks of one partition, then {@link io.penstock.pipeline.EndOfPartition}.
   *
   * <p>When {@code bytes} fails, the rows that came whole are sent on, a torn last one is rejected, and the partition ends as
   * if it had been closed; a {@link SourceException} alone is passed on.
   *
   * @param bytes the partition, in order; each buffer becomes this operator's to release (for Reactor Netty:
   *     {@code receive().retain()})
   * @param resume runs tasks on the source's own thread; may run them at once if called there
   */
  public static Flux<StreamItem> decode(
      Flux<ByteBuf> bytes, CsvDecoder decoder, SourceContext context, Executor resume) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(CoreSubscriber<? super StreamItem> actual) {
    throw new UnsupportedOperationException();
  }
}
