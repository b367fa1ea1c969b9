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

  /**
   * Writes what positions alone do not say, for {@link SourceContext#saved} to bring back. On the pipeline thread, as a barrier
   * passes and behind its positions: what is written must fit these.
   *
   * @param state the source's own scope of the cut
   */
  default void save(State state) {}

  /**
   * Makes a cut know the partitions that came later, so that they keep their numbers in a run that goes back to it.
   *
   * @param saved the source's own scope of the cut
   * @param later what {@link #save} wrote since
   */
  default void adopt(State saved, State later) {}

  /**
   * Says which cut is durable: the oldest one that a run may resume from, so that nothing before its positions will be asked
   * for again. Any thread; must return soon.
   *
   * @param cut a whole cut, as {@link Merge#cut} gave it
   */
  default void durable(State cut) {}
}
