package io.penstock.ingest.netty;

/**
 * What a feed has sent when the receiver has read all of it.
 *
 * @param rows lines but for the header
 * @param bytes all bytes, the header included
 * @param seconds from the connection's opening until the receiver closed it
 */
public record FeedResult(long rows, long bytes, double seconds) {}
