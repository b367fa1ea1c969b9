package io.penstock.app;

import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Nanoseconds since 1970 as they were when this clock was made, and steady time since: it never goes back. Agrona's
 * {@code OffsetEpochNanoClock} asks the machine's clock again every hour, and would make all that is due wait for as long as that was set back.
 */
final class SteadyEpochClock implements EpochNanoClock {
  private final NanoClock steady;
  private final long offset;

  SteadyEpochClock() {
    this(SystemEpochNanoClock.INSTANCE, SystemNanoClock.INSTANCE);
  }

  SteadyEpochClock(EpochNanoClock wall, NanoClock steady) {
    this.steady = steady;
    offset = wall.nanoTime() - steady.nanoTime();
  }

  @Override
  public long nanoTime() {
    return offset + steady.nanoTime();
  }
}
