package io.penstock.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import reactor.core.publisher.Flux;

/**
 * The one serial point before the first stateful operator: interleaves the partitions of all sources, in turn and by demand,
 * and injects barriers. From here on the stream has one order.
 */
public final class Merge {
  private final List<Source> sources;
  private final int epoch;
  private final Interleave items;
  private final AtomicLong nextBarrier = new AtomicLong();
  private final List<PartitionCursor> cursors = new CopyOnWriteArrayList<>();

  /**
   * Merges what {@code sources} send.
   *
   * @param sources in the order of the configuration, which their cursors number
   * @param thread where items go on from here; runs one task at a time
   */
  public Merge(List<Source> sources, int epoch, Executor thread) {
    this.sources = List.copyOf(sources);
    this.epoch = epoch;
    Flux<Source.Partition> partitions =
        Flux.fromIterable(this.sources)
            .flatMap(Source::partitions)
            .doOnNext(partition -> cursors.add(partition.cursor()));
    items = new Interleave(partitions, this::pass, thread);
  }

  /**
   * The merged stream; subscribed once. Completes when all sources have. What it has not sent on when it is cancelled is given
   * back; what it has sent on is the subscriber's.
   */
  public Flux<StreamItem> items() {
    return items;
  }

  /**
   * Cuts the stream: a barrier takes its place among the items as soon as there is demand.
   *
   * @return the cut, when the trainer has passed it; fails where the stream has ended
   */
  public CompletableFuture<State> cut() {
    Barrier barrier = new Barrier(nextBarrier.getAndIncrement(), epoch);
    items.insert(barrier);
    return barrier.saved();
  }

  private void pass(StreamItem item) {
    switch (item) {
      case Block block -> block.cursor().advanceTo(block.nextRow(), block.nextOffset());
      case Barrier barrier -> save(barrier.state());
      case EndOfPartition end -> forget(end.cursor());
    }
  }

  /** Positions first: what a source writes behind them can only be newer, which it allows for. */
  private void save(State state) {
    state.put("positions", positions());
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).save(scope(state, i));
    }
  }

  /** Where a cut has what one source saved. */
  public static State scope(State cut, int source) {
    return cut.scope("source" + source);
  }

  /** Tells all sources that nothing before {@code cut} will be asked for again, see {@link Source#durable}. */
  public void durable(State cut) {
    sources.forEach(source -> source.durable(cut));
  }

  /** Connections come and go for as long as the run lasts: what cannot be read again needs no position once it has ended. */
  private void forget(PartitionCursor ended) {
    if (!sources.get(ended.source()).replays()) {
      cursors.remove(ended);
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
