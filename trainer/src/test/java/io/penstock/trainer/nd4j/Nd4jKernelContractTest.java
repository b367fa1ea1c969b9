package io.penstock.trainer.nd4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.KernelContract;
import io.penstock.trainer.device.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Tag;

@Tag("nd4j")
class Nd4jKernelContractTest extends KernelContract {
  private static final int LONGS = 10;
  private static final MemoryLayout MALLINFO2 = MemoryLayout.sequenceLayout(LONGS, JAVA_LONG);
  private static final int MAPPED = 4;
  private static final int TAKEN = 7;

  @Override
  protected Device device() {
    return Nd4jDevice.open();
  }

  /** What glibc says is taken of its heaps and in mappings, less what the JVM itself says it has taken there. */
  @Override
  protected long allocatedBytes() {
    MethodHandle mallinfo2 =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("mallinfo2"),
                FunctionDescriptor.of(MemoryLayout.structLayout(MALLINFO2)));
    String jvm = NativeMemory.report();
    long ofJvm =
        NativeMemory.bytes(jvm, "malloc: (\\d+)")
            - NativeMemory.bytes(jvm, "\\(malloc=(\\d+) tag=Other");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
      return info.getAtIndex(JAVA_LONG, MAPPED) + info.getAtIndex(JAVA_LONG, TAKEN) - ofJvm;
    } catch (Throwable t) {
      throw new IllegalStateException("mallinfo2 could not be called", t);
    }
  }
}
