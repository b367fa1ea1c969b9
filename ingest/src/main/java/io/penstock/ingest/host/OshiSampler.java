package io.penstock.ingest.host;

import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.agrona.concurrent.EpochNanoClock;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor;
import oshi.hardware.CentralProcessor.TickType;
import oshi.hardware.GlobalMemory;
import oshi.hardware.HWDiskStore;
import oshi.hardware.HardwareAbstractionLayer;
import oshi.hardware.NetworkIF;
import oshi.hardware.VirtualMemory;
import oshi.software.os.OperatingSystem;

/**
 * This machine's sensors as OSHI reads them. Disks and network interfaces are those that are there at the beginning. What a system
 * or a container does not show is 0.
 */
final class OshiSampler implements Supplier<Sample> {
  private final EpochNanoClock clock;
  private final CentralProcessor processor;
  private final GlobalMemory memory;
  private final OperatingSystem system;
  private final List<HWDiskStore> disks;
  private final List<NetworkIF> networks;

  OshiSampler(EpochNanoClock clock) {
    this.clock = clock;
    SystemInfo info = new SystemInfo();
    HardwareAbstractionLayer hardware = info.getHardware();
    processor = hardware.getProcessor();
    memory = hardware.getMemory();
    system = info.getOperatingSystem();
    disks = hardware.getDiskStores();
    networks = hardware.getNetworkIFs();
  }

  @Override
  public Sample get() {
    disks.forEach(HWDiskStore::updateAttributes);
    networks.forEach(NetworkIF::updateAttributes);
    VirtualMemory swap = memory.getVirtualMemory();
    double[] loads = processor.getSystemLoadAverage(3);
    long[] ticks = processor.getSystemCpuLoadTicks();
    return new Sample(
        clock.nanoTime(),
        ticks[TickType.USER.getIndex()] + ticks[TickType.NICE.getIndex()],
        ticks[TickType.SYSTEM.getIndex()],
        ticks[TickType.IOWAIT.getIndex()],
        ticks[TickType.IRQ.getIndex()] + ticks[TickType.SOFTIRQ.getIndex()],
        ticks[TickType.STEAL.getIndex()],
        ticks[TickType.IDLE.getIndex()],
        Math.max(0, loads[0]),
        Math.max(0, loads[1]),
        Math.max(0, loads[2]),
        share(memory.getTotal() - memory.getAvailable(), memory.getTotal()),
        share(swap.getSwapUsed(), swap.getSwapTotal()),
        sum(disks, HWDiskStore::getReadBytes),
        sum(disks, HWDiskStore::getWriteBytes),
        sum(networks, NetworkIF::getBytesRecv),
        sum(networks, NetworkIF::getBytesSent),
        processor.getContextSwitches(),
        processor.getInterrupts(),
        system.getProcessCount(),
        system.getThreadCount());
  }

  private static double share(long part, long whole) {
    return whole <= 0 ? 0 : (double) part / whole;
  }

  private static <T> long sum(List<T> of, ToLongFunction<T> counter) {
    return of.stream().mapToLong(counter).sum();
  }
}
