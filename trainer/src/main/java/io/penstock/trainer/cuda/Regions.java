package io.penstock.trainer.cuda;

import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.ScoreBins;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/** A session's buffers on the device, cleared, and copies between them and the heap by way of a pinned buffer. */
final class Regions {
  private static final long MOST_STAGING_BYTES = 1L << 20;

  private final Map<Region, Long> addresses = new EnumMap<>(Region.class);
  private final long stream;
  private final MemorySegment staging;

  Regions(CudaContext context, Program program, long stream) {
    this.stream = stream;
    long largest = Long.BYTES;
    for (Region region : Region.values()) {
      if (region != Region.SLOT) {
        long bytes = (long) program.size(region) * Float.BYTES;
        addresses.put(region, cleared(context, bytes, stream));
        largest = Math.max(largest, bytes);
      }
    }
    staging = context.pinned(Math.min(largest, MOST_STAGING_BYTES));
  }

  /** Device memory filled with zeros. */
  static long cleared(CudaContext context, long bytes, long stream) {
    long address = context.memory(bytes);
    if (bytes > 0) {
      Cuda.fill(address, 0, bytes, stream);
    }
    return address;
  }

  /** Powers of what a row weighs more than the one before, up to that of a block's threads. */
  long growths(CudaContext context, MetricsSpec spec) {
    double[] growths = new double[Kernels.THREADS + 1];
    for (int i = 0; i < growths.length; i++) {
      growths[i] = Math.pow(spec.fade(), -i);
    }
    return constants(context, growths);
  }

  /** The probabilities at the edges of the scores' bins. */
  long edges(CudaContext context) {
    return constants(context, ScoreBins.edges());
  }

  private long constants(CudaContext context, double[] values) {
    long address = context.memory((long) values.length * Double.BYTES);
    copyToDevice(MemorySegment.ofArray(values), address);
    return address;
  }

  long address(Region region) {
    return Objects.requireNonNull(addresses.get(region));
  }

  /** Of a matrix, for the slot at an address. */
  long address(Matrix matrix, long slot) {
    long base = matrix.region() == Region.SLOT ? slot : address(matrix.region());
    return base + matrix.offset() * Float.BYTES;
  }

  void read(Region region, MemorySegment to) {
    copyToHost(address(region), to);
  }

  void write(Region region, float[] from) {
    copyToDevice(MemorySegment.ofArray(from), address(region));
  }

  /** Waits until it is there. */
  void copyToDevice(MemorySegment from, long to) {
    for (long at = 0; at < from.byteSize(); at += staging.byteSize()) {
      long bytes = Math.min(staging.byteSize(), from.byteSize() - at);
      MemorySegment.copy(from, at, staging, 0, bytes);
      Cuda.copyToDevice(to + at, staging.address(), bytes, stream);
      Cuda.streamSynchronize(stream);
    }
  }

  private void copyToHost(long from, MemorySegment to) {
    for (long at = 0; at < to.byteSize(); at += staging.byteSize()) {
      long bytes = Math.min(staging.byteSize(), to.byteSize() - at);
      Cuda.copyToHost(staging.address(), from + at, bytes, stream);
      Cuda.streamSynchronize(stream);
      MemorySegment.copy(staging, ValueLayout.JAVA_BYTE, 0, to, ValueLayout.JAVA_BYTE, at, bytes);
    }
  }
}
