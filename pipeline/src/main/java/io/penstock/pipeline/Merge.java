package io.penstock.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.LongStream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.util.concurrent.Queues;

/**
 * The one serial point before the first stateful operator: interleaves the partitions of all sources, in turn and by demand,
 * and injects barriers. From here on the stream has one order.
 */
public final class Merge {
  private final List<Source> sources;
  private final int epoch;
  private final AtomicLong nextBarrier = new AtomicLong();
  private final Sinks.Many<StreamItem> barriers =
      Sinks.many()
          .unicast()
          .onBackpressureBuffer(Queues.<StreamItem>unboundedMultiproducer().get());

  /** Streams that have not ended: the partitions and, for one, the stream of partitions. */
  private final AtomicInteger open = new AtomicInteger(1);

  private final List<PartitionCursor> cursors = new CopyOnWriteArrayList<>();

  public Merge(List<Source> sources, int epoch) {
    this.sources = List.copyOf(sources);
    this.epoch = epoch;
  }

  /** The merged stream; subscribed once. Completes when all sources have. */
  public Flux<StreamItem> items() {
    return Flux.fromIterable(sources)
        .flatMap(Source::partitions)
        .map(this::open)
        .doOnTerminate(this::oneEnded)
        .startWith(barriers.asFlux())
        .flatMap(Function.identity(), Integer.MAX_VALUE, 1)
        .doOnNext(this::pass);
  }

  /**
   * Cuts the stream: a barrier takes its place among the items as soon as there is demand.
   *
   * @return the cut, when the trainer has passed it; fails where the stream has ended
   */
  public CompletableFuture<State> cut() {
    Barrier barrier = new Barrier(nextBarrier.getAndIncrement(), epoch);
    Sinks.EmitResult result = barriers.tryEmitNext(barrier);
    if (result.isFailure()) {
      barrier.abandon(new IllegalStateException("no cut: the stream has ended (" + result + ")"));
    }
    return barrier.saved();
  }

  private Flux<StreamItem> open(Source.Partition partition) {
    cursors.add(partition.cursor());
    open.incrementAndGet();
    return partition.items().doOnTerminate(this::oneEnded);
  }

  private void oneEnded() {
    if (open.decrementAndGet() == 0) {
      barriers.tryEmitComplete();
    }
  }

  private void pass(StreamItem item) {
    switch (item) {
      case Block block -> block.cursor().advanceTo(block.nextRow(), block.nextOffset());
      case Barrier barrier -> barrier.state().put("positions", positions());
      case EndOfPartition _ -> {}
    }
  }

  /** Source, partition, next row and offset of every partition, one after the other. */
  private long[] positions() {
    return cursors.stream()
        .flatMapToLong(c -> LongStream.of(c.source(), c.partition(), c.nextRow(), c.nextOffset()))
        .toArray();
  }

  /** The cursors that a saved cut holds for one source. */
  public static List<PartitionCursor> cursors(State state, int source) {
    long[] saved = state.longs("positions");
    List<PartitionCursor> cursors = new ArrayList<>();
    for (int i = 0; i < saved.length; i += 4) {
      if (saved[i] == source) {
        cursors.add(new PartitionCursor(source, (int) saved[i + 1], saved[i + 2], saved[i + 3]));
      }
    }
    return cursors;
  }
}
