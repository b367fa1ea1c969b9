package io.penstock.pipeline;

import java.util.Map;
import org.agrona.concurrent.EpochNanoClock;
import org.jspecify.annotations.Nullable;

/**
 * What a source is given to work with.
 *
 * @param source its index in the configuration
 * @param epoch the stream's epoch, for every item it emits
 * @param pool where its blocks come from
 * @param rejections where rows go that cannot be decoded
 * @param clock nanoseconds since 1970
 * @param ingest where the stage's busy and blocked time is counted
 * @param resume where partitions resume, by partition; empty for a fresh start
 * @param saved what {@link Source#save} wrote into the cut that is resumed from; null for a fresh start
 * @param checkpointWanted asks for a checkpoint soon, because a sender can hardly keep more rows; from any thread, returns at
 *     once. {@link #NO_CHECKPOINTS} where the run keeps none
 */
public record SourceContext(
    int source,
    int epoch,
    BlockPool pool,
    Rejections rejections,
    EpochNanoClock clock,
    StageMeter ingest,
    Map<Integer, PartitionCursor> resume,
    @Nullable State saved,
    Runnable checkpointWanted) {

  /** For runs that keep no checkpoints: nothing that a source sends on ever becomes durable. */
  public static final Runnable NO_CHECKPOINTS = () -> {};

  public SourceContext {
    resume = Map.copyOf(resume);
  }

  /** Of a fresh run that keeps no checkpoints. */
  public SourceContext(
      int source,
      int epoch,
      BlockPool pool,
      Rejections rejections,
      EpochNanoClock clock,
      StageMeter ingest,
      Map<Integer, PartitionCursor> resume) {
    this(source, epoch, pool, rejections, clock, ingest, resume, null, NO_CHECKPOINTS);
  }

  /** Whether rows become durable, sooner or later. */
  public boolean keepsCheckpoints() {
    return !checkpointWanted.equals(NO_CHECKPOINTS);
  }

  /** The partition's saved position, or its beginning. */
  public PartitionCursor cursor(int partition) {
    PartitionCursor saved = resume.get(partition);
    return saved == null ? new PartitionCursor(source, partition, 0, 0) : saved;
  }
}
