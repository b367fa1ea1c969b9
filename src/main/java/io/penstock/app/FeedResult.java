package io.penstock.app;

/**
 * What a feed did.
 *
 * @param blockedSeconds time in which the receiver took nothing
 */
record FeedResult(long rows, long bytes, double seconds, double blockedSeconds) {}
