package io.penstock.pipeline;

/** What flows from a source to the ring: rows, cuts through the stream, and the ends of partitions. */
public sealed interface StreamItem permits Block, Barrier, EndOfPartition {

  /** The stream's epoch: it grows when a run is rewound, so that items of before can be told and dropped. */
  int epoch();
}
