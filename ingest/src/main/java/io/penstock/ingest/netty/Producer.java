package io.penstock.ingest.netty;

import io.penstock.pipeline.EndOfPartition;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source.Partition;
import io.penstock.pipeline.StreamItem;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * A sender that numbers its rows: one partition, which goes on over as many connections as it takes. Confined to the lock of
 * {@link Producers}, but for the two watermarks.
 */
final class Producer {
  /** In place of an end where there is none. */
  static final long GOING_ON = -1;

  private final String id;
  private final PartitionCursor cursor;

  private final ProducerItems items = new ProducerItems();

  private long epoch;
  private long end = GOING_ON;
  private volatile long received;
  private volatile long durable;
  private volatile boolean endIsDurable;

  /** The one whose rows are taken. */
  @Nullable ProducerConnection current;

  /** The one that comes after it, once what was received of it has been sent on. */
  @Nullable ProducerConnection next;

  Producer(String id, PartitionCursor cursor) {
    this.id = id;
    this.cursor = cursor;
    received = cursor.nextRow();
  }

  /**
   * As a cut has it.
   *
   * @param cursor where the cut has its partition
   * @param saved what {@link #save} wrote
   * @param at where in it
   */
  static Producer restored(String id, PartitionCursor cursor, long[] saved, int at) {
    Producer producer = new Producer(id, cursor);
    producer.epoch = saved[at + 1];
    // The end was noted when it was received; in the cut the rows before it may be missing.
    producer.end = savedEnd(saved, at) == producer.received ? producer.received : GOING_ON;
    producer.durable = saved[at + 3];
    return producer;
  }

  static final int SAVED_LONGS = 4;

  void save(long[] into, int at) {
    into[at] = cursor.partition();
    into[at + 1] = epoch;
    into[at + 2] = end;
    into[at + 3] = durable;
  }

  /** Writes what is saved of one, as of one that has sent nothing yet. */
  static void addBegun(long[] saved, int at, LongStream.Builder to) {
    to.add(saved[at]).add(saved[at + 1]).add(GOING_ON).add(0);
  }

  static int savedPartition(long[] saved, int at) {
    return (int) saved[at];
  }

  static long savedEnd(long[] saved, int at) {
    return saved[at + 2];
  }

  String id() {
    return id;
  }

  PartitionCursor cursor() {
    return cursor;
  }

  long epoch() {
    return epoch;
  }

  /**
   * Goes over to an epoch.
   *
   * @param wanted or {@link Handshake#NEW_EPOCH}
   * @throws RefusedException where a later one has begun
   */
  void begin(long wanted) {
    if (wanted == Handshake.NEW_EPOCH) {
      epoch++;
    } else if (wanted < epoch) {
      throw RefusedException.fenced(epoch);
    } else {
      epoch = wanted;
    }
  }

  Partition partition() {
    return new Partition(cursor, items);
  }

  /** Number of the first row that has not been taken in. */
  long received() {
    return received;
  }

  /** On the loop of the connection that rows are taken from. */
  void received(long nextRow) {
    received = nextRow;
  }

  /** Number of the first row that might be asked for again. */
  long durable() {
    return durable;
  }

  /**
   * Notes what nobody goes back behind.
   *
   * @param nextRow where a cut has its partition
   * @param savedEnd where the same cut has its end, which may have been noted before the last rows were sent on; or {@link #GOING_ON}
   */
  void durable(long nextRow, long savedEnd) {
    durable = Math.max(durable, nextRow);
    if (hasEnded() && savedEnd == end && nextRow >= end) {
      endIsDurable = true;
    }
  }

  /** Takes the rows of a connection, behind those of the last; false where nobody wants them any more. */
  boolean take(Flux<StreamItem> rows) {
    end = GOING_ON;
    endIsDurable = false;
    return items.add(rows);
  }

  /** All rows that it has sent are all that it will send. */
  void end() {
    end = received;
  }

  boolean hasEnded() {
    return end != GOING_ON;
  }

  /** Whether all that it has sent cannot be lost, and that this was all neither. */
  boolean isDurable() {
    return endIsDurable && durable >= received;
  }

  /** Ends the partition's items, not the partition: it can be gone on with in a later run. */
  void complete() {
    items.complete();
  }

  /** Ends the partition. */
  void forget(int streamEpoch) {
    items.add(Flux.just(new EndOfPartition(streamEpoch, cursor)));
    items.complete();
  }
}
