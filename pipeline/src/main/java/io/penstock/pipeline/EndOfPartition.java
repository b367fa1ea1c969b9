package io.penstock.pipeline;

/** No row of this partition will follow: the connection was closed or the file read to its end. */
public record EndOfPartition(int epoch, PartitionCursor cursor) implements StreamItem {}
