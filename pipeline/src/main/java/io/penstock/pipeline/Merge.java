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
public final class Merge implements Stateful {
  private static final String POSITIONS = "positions";

  /** The tally of rejected rows in a cut, see {@link RowTally#restore}. */
  public static final String REJECTED = "ledger.rejected";

  private final List<Source> sources;
  private final int epoch;
  private final Interleave items;
  private final AtomicLong nextBarrier = new AtomicLong();
  private final List<PartitionCursor> cursors = new CopyOnWriteArrayList<>();
  private final RowTally rejected = new RowTally();

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
    return cut(false);
  }

  /** Cuts the stream as {@link #cut} does, and ends it there: what has come and lies behind is not trained. */
  public CompletableFuture<State> cutAndEnd() {
    return cut(true);
  }

  private CompletableFuture<State> cut(boolean last) {
    Barrier barrier = new Barrier(nextBarrier.getAndIncrement(), epoch, last);
    items.insert(barrier);
    return barrier.saved();
  }

  private void pass(StreamItem item) {
    switch (item) {
      case Block block -> pass(block);
      case Barrier barrier -> save(barrier.state());
      case EndOfPartition end -> forget(end.cursor());
    }
  }

  private void pass(Block block) {
    PartitionCursor cursor = block.cursor();
    if (block.nextRow() - cursor.nextRow() > block.rows()) {
      tallyRejected(block, cursor);
    }
    cursor.advanceTo(block.nextRow(), block.nextOffset());
  }

  /** Rows are numbered before they are decoded: a number that is missing is that of a rejected row. */
  private void tallyRejected(Block block, PartitionCursor cursor) {
    long expected = cursor.nextRow();
    for (int i = 0; i <= block.rows(); i++) {
      long next =
          i == block.rows()
              ? block.nextRow()
              : Values.getLong(block.memory(), block.layout().rowOffset(), i);
      while (expected < next) {
        rejected.add(cursor.key(), expected++);
      }
      expected = next + 1;
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

  /** Writes positions, and the rows that were rejected before them. On the pipeline thread, or when the stream has ended. */
  @Override
  public void save(State state) {
    state.put(POSITIONS, positions());
    rejected.save(state, REJECTED);
    // Behind the positions: what a source writes can only be newer, which it allows for.
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).save(scope(state, i));
    }
  }

  /** Takes over the rejected rows; the positions are for the sources: {@link #cursors}. */
  @Override
  public void restore(State state) {
    rejected.restore(state, REJECTED);
  }

  /** Source, partition, next row and offset of every partition, one after the other. */
  private long[] positions() {
    return cursors.stream()
        .flatMapToLong(c -> LongStream.of(c.source(), c.partition(), c.nextRow(), c.nextOffset()))
        .toArray();
  }

  /** The cursors that a saved cut holds for one source. */
  public static List<PartitionCursor> cursors(State state, int source) {
    long[] saved = state.longs(POSITIONS);
    List<PartitionCursor> cursors = new ArrayList<>();
    for (int i = 0; i < saved.length; i += 4) {
      if (saved[i] == source) {
        cursors.add(new PartitionCursor(source, (int) saved[i + 1], saved[i + 2], saved[i + 3]));
      }
    }
    return cursors;
  }
}
