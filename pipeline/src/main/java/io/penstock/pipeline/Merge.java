package io.penstock.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.agrona.collections.LongLongConsumer;
import reactor.core.publisher.Flux;

/**
 * The one serial point before the first stateful operator: interleaves the partitions of all sources, in turn and by demand,
 * and injects barriers. From here on the stream has one order.
 */
public final class Merge implements Stateful {
  private static final String POSITIONS = "positions";

  /** The tally of rejected rows in a cut, see {@link RowTally#restore}. */
  public static final String REJECTED = "ledger.rejected";

  /** The tally of rows that were left out after a rollback. */
  public static final String LEFT_OUT = "ledger.leftOut";

  private static final String TO_LEAVE_OUT = "leaveOut";
  private static final String HAVE_PASSED = "leaveOutPassed";

  /** Ranges that have passed and are remembered. */
  private static final int MOST_PASSED = 1000;

  private final List<Source> sources;
  private final int epoch;
  private final Interleave items;
  private final AtomicLong nextBarrier = new AtomicLong();
  private final List<PartitionCursor> cursors = new CopyOnWriteArrayList<>();
  private final RowTally rejected = new RowTally();

  /** Rows that a rollback has found to be bad; they have not come yet, or not all of them. */
  private List<RowRange> toLeaveOut = List.of();

  /** Those that have passed: a run that goes back further must leave them out once more. */
  private List<RowRange> havePassed = List.of();

  /** Replaced, never changed, once the run has begun: other threads look at it. */
  private volatile RowTally leftOut = new RowTally();

  private LongLongConsumer onLeftOut = (partition, row) -> {};

  /**
   * Merges what {@code sources} send.
   *
   * @param sources in the order of the configuration, which their cursors number
   * @param shares of the rows that each is given while several have some waiting, in proportion
   * @param thread where items go on from here; runs one task at a time
   */
  public Merge(List<Source> sources, List<Integer> shares, int epoch, Executor thread) {
    this.sources = List.copyOf(sources);
    this.epoch = epoch;
    Flux<Source.Partition> partitions =
        Flux.fromIterable(this.sources)
            .flatMap(Source::partitions)
            .doOnNext(partition -> cursors.add(partition.cursor()));
    items = new Interleave(partitions, shares, this::pass, thread);
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
    return insert(new Barrier(nextBarrier.getAndIncrement(), epoch, last));
  }

  /**
   * Has operators and trainer take over an earlier cut in mid-stream, while positions stay: for sources that cannot send again.
   *
   * @return completes when the trainer has
   */
  public CompletableFuture<State> goBack(State cut) {
    return insert(new Barrier(nextBarrier.getAndIncrement(), epoch, cut));
  }

  private CompletableFuture<State> insert(Barrier barrier) {
    items.insert(barrier);
    return barrier.saved();
  }

  private void pass(StreamItem item) {
    switch (item) {
      case Block block -> pass(block);
      case Barrier barrier -> {
        if (barrier.back() == null) {
          save(barrier.state());
        }
      }
      case EndOfPartition end -> forget(end.cursor());
    }
  }

  private void pass(Block block) {
    PartitionCursor cursor = block.cursor();
    if (block.nextRow() - cursor.nextRow() > block.rows()) {
      tallyRejected(block, cursor);
    }
    cursor.advanceTo(block.nextRow(), block.nextOffset());
    // Almost always there is nothing to leave out, or it is far ahead.
    for (RowRange range : toLeaveOut) {
      if (range.partition() == cursor.key() && range.first() < cursor.nextRow()) {
        leaveOut(block, cursor);
        break;
      }
    }
  }

  private void leaveOut(Block block, PartitionCursor cursor) {
    List<RowRange> left = new ArrayList<>();
    List<RowRange> passed = new ArrayList<>(havePassed);
    RowTally tally = new RowTally();
    tally.add(leftOut);
    for (RowRange range : toLeaveOut) {
      if (range.partition() == cursor.key()) {
        leaveOut(block, range, tally);
      }
      if (range.partition() != cursor.key() || range.last() >= cursor.nextRow()) {
        left.add(range);
      } else {
        passed.add(range);
      }
    }
    toLeaveOut = left;
    // A run that went back passes some for a second time: what it remembers is not to tell.
    List<RowRange> known = RowRange.joined(passed);
    havePassed = known.subList(Math.max(0, known.size() - MOST_PASSED), known.size());
    leftOut = tally;
  }

  private void leaveOut(Block block, RowRange range, RowTally tally) {
    int from = firstAtLeast(block, range.first());
    int to = firstAtLeast(block, range.last() + 1);
    if (from == to) {
      return;
    }
    for (int i = from; i < to; i++) {
      long row = rowNumber(block, i);
      tally.add(range.partition(), row);
      onLeftOut.accept(range.partition(), row);
    }
    block.remove(from, to);
  }

  private static int firstAtLeast(Block block, long row) {
    int i = 0;
    while (i < block.rows() && rowNumber(block, i) < row) {
      i++;
    }
    return i;
  }

  private static long rowNumber(Block block, int index) {
    return Values.getLong(block.memory(), block.layout().rowOffset(), index);
  }

  /** Tells {@code consumer} partition and number of each row that is left out; on the pipeline thread. Before the beginning. */
  public void onLeftOut(LongLongConsumer consumer) {
    onLeftOut = consumer;
  }

  /** The rows left out so far; not to be changed. Any thread. */
  public RowTally leftOut() {
    return leftOut;
  }

  /** Makes a run that goes on from {@code cut} leave out these rows, as well as those that it leaves out already. */
  public static void leaveOut(State cut, List<RowRange> rows) {
    List<RowRange> all = new ArrayList<>(RowRange.ofLongs(cut.longs(TO_LEAVE_OUT)));
    all.addAll(rows);
    cut.put(TO_LEAVE_OUT, RowRange.toLongs(RowRange.joined(all)));
  }

  /** Rows are numbered before they are decoded: a number that is missing is that of a rejected row. */
  private void tallyRejected(Block block, PartitionCursor cursor) {
    long expected = cursor.nextRow();
    for (int i = 0; i <= block.rows(); i++) {
      long next = i == block.rows() ? block.nextRow() : rowNumber(block, i);
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

  /** What is to be known in a run that goes back, for {@link #adopt}: partitions, and rows to leave out. When nothing passes. */
  public State known() {
    State now = new State();
    saveSources(now);
    saveLeftOut(now);
    return now;
  }

  /** Makes {@code cut} know the partitions that {@link #known} has, under their numbers, and all rows to leave out. */
  public void adopt(State cut, State later) {
    leaveOut(cut, RowRange.ofLongs(later.longs(HAVE_PASSED)));
    leaveOut(cut, RowRange.ofLongs(later.longs(TO_LEAVE_OUT)));
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).adopt(scope(cut, i), scope(later, i));
    }
  }

  private void saveLeftOut(State state) {
    state.put(TO_LEAVE_OUT, RowRange.toLongs(toLeaveOut));
    state.put(HAVE_PASSED, RowRange.toLongs(havePassed));
  }

  private void saveSources(State state) {
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).save(scope(state, i));
    }
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

  /** Writes positions, the rows that were rejected or left out before them, and those to be left out behind. On the pipeline thread, or when the stream has ended. */
  @Override
  public void save(State state) {
    state.put(POSITIONS, positions());
    rejected.save(state, REJECTED);
    leftOut.save(state, LEFT_OUT);
    saveLeftOut(state);
    // Behind the positions: what a source writes can only be newer, which it allows for.
    saveSources(state);
  }

  /** Takes over the rejected rows and those left out, or to be; the positions are for the sources: {@link #cursors}. */
  @Override
  public void restore(State state) {
    rejected.restore(state, REJECTED);
    leftOut.restore(state, LEFT_OUT);
    toLeaveOut = RowRange.ofLongs(state.longs(TO_LEAVE_OUT));
    havePassed = RowRange.ofLongs(state.longs(HAVE_PASSED));
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
