package io.penstock.pipeline;

import java.util.Map;
import org.agrona.concurrent.EpochNanoClock;

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
 */
public record SourceContext(
    int source,
    int epoch,
    BlockPool pool,
    Rejections rejections,
    EpochNanoClock clock,
    StageMeter ingest,
    Map<Integer, PartitionCursor> resume) {

  public SourceContext {
    resume = Map.copyOf(resume);
  }

  /** The partition's saved position, or its beginning. */
  public PartitionCursor cursor(int partition) {
    PartitionCursor saved = resume.get(partition);
    return saved == null ? new PartitionCursor(source, partition, 0, 0) : saved;
  }
}
