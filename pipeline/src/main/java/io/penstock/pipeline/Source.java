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

  /** The partitions; subscribed once. */
  Flux<Partition> partitions();
}
