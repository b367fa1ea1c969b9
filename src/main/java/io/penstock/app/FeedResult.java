package io.penstock.app;

/**
 * What a feed did.
 *
 * @param blockedSeconds time in which the receiver took nothing
 */
record FeedResult(long rows, long bytes, double seconds, double blockedSeconds) {

  double rowsPerSecond() {
    return seconds > 0 ? rows / seconds : 0;
  }

  double blockedShare() {
    return seconds > 0 ? blockedSeconds / seconds : 0;
  }
}
