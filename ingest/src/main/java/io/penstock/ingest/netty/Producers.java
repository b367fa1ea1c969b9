package io.penstock.ingest.netty;

import io.netty.util.concurrent.Future;
import io.penstock.config.SourceConfig.AcknowledgeConfig;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.RowDecoder;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Source.Partition;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.State;
import io.penstock.pipeline.StreamItem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * All that a source remembers of those who send to it: who they are, which of their connections counts, what of theirs was
 * received and what is durable. What a cut holds of it is enough to know each row that is sent again.
 *
 * <p>One lock guards it, taken a few times a connection, once a barrier and once a tick; never a row or a block.
 */
final class Producers implements TcpListener.Taker {
  /** How often producers are told what has changed. */
  private static final long TICK_MILLIS = 50;

  /** A checkpoint is asked for at most so often. */
  private static final int TICKS_BETWEEN_CHECKPOINTS = 5;

  private static final String NUMBERS = "producerNumbers";

  private final TcpListener listener;
  private final Tcp settings;
  private final AcknowledgeConfig limits;
  private final BlockSchema schema;
  private final SourceContext context;
  private final ClassNumbering numbering;

  /** By name, the one that came latest last. */
  private final Map<String, Producer> producers = new LinkedHashMap<>();

  private int nextPartition;
  private int ticksToCheckpoint;
  private boolean over;
  private @Nullable FluxSink<Partition> partitions;
  private @Nullable Future<?> ticking;

  Producers(
      TcpListener listener,
      Tcp settings,
      AcknowledgeConfig limits,
      BlockSchema schema,
      SourceContext context) {
    this.listener = listener;
    this.settings = settings;
    this.limits = limits;
    this.schema = schema;
    this.context = context;
    State saved = context.saved();
    boolean resumed = saved != null && saved.has("producers");
    numbering = ClassNumbering.restored(resumed ? saved : null);
    if (saved != null && resumed) {
      restore(saved);
    }
  }

  private void restore(State saved) {
    nextPartition = Math.toIntExact(saved.longs("nextPartition")[0]);
    long[] numbers = saved.longs(NUMBERS);
    int at = 0;
    for (String id : ids(saved)) {
      PartitionCursor cursor = context.cursor(Producer.savedPartition(numbers, at));
      producers.put(id, Producer.restored(id, cursor, numbers, at));
      at += Producer.SAVED_LONGS;
    }
  }

  /** Writes who there is; where they are, the positions of the barrier say. On the pipeline thread. */
  synchronized void save(State state) {
    long[] numbers = new long[producers.size() * Producer.SAVED_LONGS];
    int at = 0;
    for (Producer producer : producers.values()) {
      producer.save(numbers, at);
      at += Producer.SAVED_LONGS;
    }
    state.put("producers", String.join("\n", producers.keySet()).getBytes(StandardCharsets.UTF_8));
    state.put(NUMBERS, numbers);
    state.put("nextPartition", (long) nextPartition);
    numbering.save(state);
  }

  /** As {@link io.penstock.pipeline.Source#adopt}: those who are missing have sent nothing yet. */
  static void adopt(State saved, State later) {
    List<String> ids = new ArrayList<>(ids(saved));
    LongStream.Builder numbers = LongStream.builder();
    Arrays.stream(saved.longs(NUMBERS)).forEach(numbers);
    List<String> laterIds = ids(later);
    for (int i = 0; i < laterIds.size(); i++) {
      if (!ids.contains(laterIds.get(i))) {
        ids.add(laterIds.get(i));
        Producer.addBegun(later.longs(NUMBERS), i * Producer.SAVED_LONGS, numbers);
      }
    }
    saved.put("producers", String.join("\n", ids).getBytes(StandardCharsets.UTF_8));
    saved.put(NUMBERS, numbers.build().toArray());
    saved.put(
        "nextPartition",
        Math.max(saved.longs("nextPartition")[0], later.longs("nextPartition")[0]));
  }

  private static List<String> ids(State saved) {
    return new String(saved.bytes("producers"), StandardCharsets.UTF_8).lines().toList();
  }

  /** As {@link io.penstock.pipeline.Source#durable}. */
  synchronized void durable(State cut) {
    Map<Integer, Long> rows = new LinkedHashMap<>();
    Merge.cursors(cut, context.source())
        .forEach(cursor -> rows.put(cursor.partition(), cursor.nextRow()));
    Map<Integer, Long> ends = savedEnds(Merge.scope(cut, context.source()));
    for (Producer producer : producers.values()) {
      int partition = producer.cursor().partition();
      producer.durable(
          rows.getOrDefault(partition, 0L), ends.getOrDefault(partition, Producer.GOING_ON));
    }
    tellNews();
    endWhenAllHave();
  }

  private static Map<Integer, Long> savedEnds(State saved) {
    Map<Integer, Long> ends = new LinkedHashMap<>();
    if (saved.has(NUMBERS)) {
      long[] numbers = saved.longs(NUMBERS);
      for (int at = 0; at < numbers.length; at += Producer.SAVED_LONGS) {
        ends.put(Producer.savedPartition(numbers, at), Producer.savedEnd(numbers, at));
      }
    }
    return ends;
  }

  /** Begins to take connections, and hands out the partitions of those who are remembered. */
  synchronized void begin(FluxSink<Partition> partitions) {
    this.partitions = partitions;
    producers.values().forEach(producer -> partitions.next(producer.partition()));
    ticking =
        listener
            .loop()
            .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    endWhenAllHave();
  }

  /** The run takes no rows any more. */
  synchronized void close() {
    over = true;
    if (ticking != null) {
      ticking.cancel(false);
    }
    producers.values().forEach(Producer::complete);
  }

  private synchronized void tick() {
    if (over) {
      return;
    }
    tellNews();
    endWhenAllHave();
    ticksToCheckpoint--;
    if (ticksToCheckpoint <= 0 && producers.values().stream().anyMatch(this::wantsCheckpoint)) {
      ticksToCheckpoint = TICKS_BETWEEN_CHECKPOINTS;
      context.checkpointWanted().run();
    }
  }

  /** Whether {@code producer} can keep few rows more, or waits for its last ones to be durable. */
  private boolean wantsCheckpoint(Producer producer) {
    long kept = producer.received() - producer.durable();
    long window = producer.current == null ? 0 : window(producer.current.window());
    boolean windowIsNearlyUsed = kept > 0 && window > 0 && kept >= window - window / 4;
    return context.keepsCheckpoints()
        && (windowIsNearlyUsed || (producer.hasEnded() && !producer.isDurable()));
  }

  /** The rows that a producer may send beyond what is durable; 0: no bound. */
  long window(long announced) {
    if (!context.keepsCheckpoints()) {
      return 0;
    }
    return announced == 0 || limits.window() == 0
        ? Math.max(announced, limits.window())
        : Math.min(announced, limits.window());
  }

  private void tellNews() {
    for (Producer producer : producers.values()) {
      if (producer.current != null) {
        producer.current.tellNewsSoon();
      }
    }
  }

  private void endWhenAllHave() {
    FluxSink<Partition> sink = partitions;
    if (over || sink == null || limits.endAfterProducers() == 0) {
      return;
    }
    long done = producers.values().stream().filter(this::isDone).count();
    if (done >= limits.endAfterProducers()) {
      close();
      sink.complete();
    }
  }

  private boolean isDone(Producer producer) {
    return isSafe(producer) && (producer.current == null || producer.current.knowsItsEnd());
  }

  /** Whether it has sent all, and none of it can be lost. */
  private boolean isSafe(Producer producer) {
    return producer.hasEnded() && (!context.keepsCheckpoints() || producer.isDurable());
  }

  @Override
  public boolean wantsMore() {
    FluxSink<Partition> sink = partitions;
    return sink != null && sink.requestedFromDownstream() > 0;
  }

  @Override
  public void take(TcpPartition connection) {
    new ProducerConnection(this, connection, settings, schema, context)
        .begin(listener.handshake(connection));
  }

  @Override
  public void noMore() {
    throw new IllegalStateException("endAfterConnections does not go with acknowledge");
  }

  /**
   * Makes {@code connection} the one that counts. One before it is told that it does not any more.
   *
   * @return whose it is; the connection is welcome now where it is that producer's {@code current}, or will be told
   * @throws RefusedException where it cannot be taken
   */
  synchronized Producer admit(ProducerConnection connection, Handshake handshake) {
    if (over) {
      throw new RefusedException("over", "the run takes no more rows");
    }
    Producer producer = producers.get(handshake.producer());
    if (producer == null) {
      producer = register(handshake.producer());
    }
    producer.begin(handshake.epoch());
    producers.remove(producer.id());
    producers.put(producer.id(), producer);
    ProducerConnection before = producer.current;
    if (producer.next != null) {
      producer.next.fence(producer.epoch());
      producer.next = null;
    }
    if (before != null) {
      before.fence(producer.epoch());
    }
    if (before != null && before.isSending) {
      producer.next = connection;
    } else {
      producer.current = connection;
    }
    return producer;
  }

  private Producer register(String id) {
    FluxSink<Partition> sink = partitions;
    if (sink == null) {
      throw new IllegalStateException("nobody takes rows yet");
    }
    if (producers.size() >= limits.maxProducers()) {
      forgetOne();
    }
    Producer producer =
        new Producer(id, new PartitionCursor(context.source(), nextPartition, 0, 0));
    nextPartition++;
    producers.put(id, producer);
    sink.next(producer.partition());
    return producer;
  }

  private void forgetOne() {
    Iterator<Producer> oldestFirst = producers.values().iterator();
    while (oldestFirst.hasNext()) {
      Producer producer = oldestFirst.next();
      if (isSafe(producer) && producer.current == null) {
        oldestFirst.remove();
        producer.forget(context.epoch());
        return;
      }
    }
    throw new RefusedException(
        "producers",
        "%d producers are known that have not ended, and source.tcp.acknowledge.maxProducers is %d"
            .formatted(producers.size(), limits.maxProducers()));
  }

  synchronized boolean isCurrent(ProducerConnection connection, Producer producer) {
    return producer.current == connection;
  }

  /** Takes the rows of a connection; false where it does not count any more. */
  synchronized boolean takeRows(
      ProducerConnection connection, Producer producer, Flux<StreamItem> rows) {
    if (over || producer.current != connection) {
      return false;
    }
    connection.isSending = true; // first: the rows may end within
    if (!producer.take(rows)) {
      connection.isSending = false;
      return false;
    }
    return true;
  }

  /**
   * What a connection sent has been sent on, all of it.
   *
   * @param all whether the producer said that it has sent all
   */
  synchronized void rowsEnded(ProducerConnection connection, Producer producer, boolean all) {
    connection.isSending = false;
    if (all && producer.current == connection) {
      producer.end();
      connection.tellNewsSoon();
    }
    if (!all || producer.next != null || !connection.isOpen()) {
      detach(connection, producer);
    }
  }

  /** A connection is closed. */
  synchronized void closed(ProducerConnection connection, Producer producer) {
    if (!connection.isSending) {
      detach(connection, producer);
    }
  }

  private void detach(ProducerConnection connection, Producer producer) {
    ProducerConnection next = producer.next;
    if (next == connection) {
      producer.next = null;
    } else if (producer.current == connection) {
      producer.next = null;
      producer.current = next;
      if (next != null) {
        next.welcomeSoon();
      }
    }
    endWhenAllHave();
  }

  RowDecoder decoder(Producer producer, List<String> columns) {
    return RowDecoder.ofLines(
        settings.format(),
        columns,
        schema,
        numbering,
        producer.cursor(),
        producer.received(),
        context,
        settings.maxLineBytes());
  }

  /** For tests: who is remembered. */
  synchronized List<String> ids() {
    return new ArrayList<>(producers.keySet());
  }
}
