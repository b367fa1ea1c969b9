package io.penstock.pipeline;

import reactor.core.publisher.Flux;

/**
 * A feed of rows. Its partitions appear as they come (a connection, a file) and complete when none will follow. Cancelling
 * the outer Flux closes what the source holds open.
 */
public interface Source {

  /** One ordered stream of rows: blocks, then {@link EndOfPartition}. Every block's demand is honoured: request(n) is n items. */
  record Partition(PartitionCursor cursor, Flux<StreamItem> items) {}

  /** Name in the configuration. */
  String name();

  /** Whether a partition that has ended can be read again, so that a cut must say how far it was read. */
  boolean replays();

  /** The partitions; subscribed once. */
  Flux<Partition> partitions();
}
