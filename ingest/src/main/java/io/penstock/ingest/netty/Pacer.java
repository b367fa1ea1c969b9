package io.penstock.ingest.netty;

/** A token bucket: so many lines a second, none made up for that the receiver did not take in time. */
final class Pacer {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double BURST_SECONDS = 0.1;
  private static final long SHORTEST_PAUSE_NANOS = 1_000_000;

  private final double linesPerSecond;
  private final double mostTokens;
  private double tokens = 1;
  private long countedAt;

  /**
   * A pacer that starts now.
   *
   * @param linesPerSecond 0: no limit
   */
  Pacer(double linesPerSecond, long nowNanos) {
    this.linesPerSecond = linesPerSecond;
    mostTokens = Math.max(1, linesPerSecond * BURST_SECONDS);
    countedAt = nowNanos;
  }

  /** Lines that may go out now. */
  long allowance(long nowNanos) {
    if (linesPerSecond == 0) {
      return Long.MAX_VALUE;
    }
    double earned = (nowNanos - countedAt) * linesPerSecond / NANOS_PER_SECOND;
    tokens = Math.min(mostTokens, tokens + earned);
    countedAt = nowNanos;
    return (long) tokens;
  }

  void sent(long lines) {
    tokens -= lines;
  }

  /** How long to wait when nothing is allowed: for the next line, or a little longer and then several. */
  long pauseNanos() {
    return Math.max(
        SHORTEST_PAUSE_NANOS, (long) Math.ceil((1 - tokens) / linesPerSecond * NANOS_PER_SECOND));
  }
}
