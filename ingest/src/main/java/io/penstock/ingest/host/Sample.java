package io.penstock.ingest.host;

/**
 * What the sensors say at one moment; of one that is not there, 0. Counters run on and on: only their differences mean anything.
 *
 * @param nanos when, since 1970
 * @param userTicks time of all processors in programs, in a unit of the system's own that the other ticks share
 * @param systemTicks in the kernel
 * @param ioWaitTicks idle while a disk was waited for
 * @param irqTicks serving interrupts
 * @param stealTicks given to other guests by the hypervisor
 * @param idleTicks otherwise idle
 * @param load1 runnable threads, averaged over 1 minute
 * @param load5 over 5 minutes
 * @param load15 over 15 minutes
 * @param memoryUsed share of the memory
 * @param swapUsed share of the swap space
 * @param diskReadBytes counter over all disks
 * @param diskWrittenBytes counter over all disks
 * @param receivedBytes counter over all network interfaces but loopback
 * @param sentBytes counter over all network interfaces but loopback
 * @param contextSwitches counter
 * @param interrupts counter
 * @param processes that there are
 * @param threads that there are
 */
record Sample(
    long nanos,
    long userTicks,
    long systemTicks,
    long ioWaitTicks,
    long irqTicks,
    long stealTicks,
    long idleTicks,
    double load1,
    double load5,
    double load15,
    double memoryUsed,
    double swapUsed,
    long diskReadBytes,
    long diskWrittenBytes,
    long receivedBytes,
    long sentBytes,
    long contextSwitches,
    long interrupts,
    int processes,
    int threads) {

  private long busyTicks() {
    return userTicks + systemTicks + irqTicks + stealTicks;
  }

  /** Load of the processors since {@code before}, 0 to 1: the share of the time that they were neither idle nor waiting. */
  float cpuSince(Sample before) {
    return share(busyTicks() - before.busyTicks(), before);
  }

  /** Writes the features, in the order of the host's schema: shares and rates since {@code before}, and what is now. */
  void featuresSince(Sample before, float[] row) {
    row[0] = cpuSince(before);
    row[1] = share(userTicks - before.userTicks, before);
    row[2] = share(systemTicks - before.systemTicks, before);
    row[3] = share(ioWaitTicks - before.ioWaitTicks, before);
    row[4] = share(irqTicks - before.irqTicks, before);
    row[5] = share(stealTicks - before.stealTicks, before);
    row[6] = (float) load1;
    row[7] = (float) load5;
    row[8] = (float) load15;
    row[9] = (float) memoryUsed;
    row[10] = (float) swapUsed;
    row[11] = rate(diskReadBytes - before.diskReadBytes, before);
    row[12] = rate(diskWrittenBytes - before.diskWrittenBytes, before);
    row[13] = rate(receivedBytes - before.receivedBytes, before);
    row[14] = rate(sentBytes - before.sentBytes, before);
    row[15] = rate(contextSwitches - before.contextSwitches, before);
    row[16] = rate(interrupts - before.interrupts, before);
    row[17] = processes;
    row[18] = threads;
  }

  /** Of all ticks; counters of the kernel may run backwards by a little. */
  private float share(long ticks, Sample before) {
    long all =
        busyTicks()
            - before.busyTicks()
            + ioWaitTicks
            - before.ioWaitTicks
            + idleTicks
            - before.idleTicks;
    return all <= 0 ? 0 : Math.clamp((float) ticks / all, 0, 1);
  }

  /** Per second; a counter that has begun anew counts as one that stands still. */
  private float rate(long counted, Sample before) {
    return (float) (Math.max(0, counted) * 1e9 / (nanos - before.nanos));
  }
}
