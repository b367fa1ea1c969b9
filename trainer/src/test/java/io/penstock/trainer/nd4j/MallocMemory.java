package io.penstock.trainer.nd4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.trainer.device.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.locks.LockSupport;

/** What libraries have allocated from glibc. */
final class MallocMemory {
  private static final int LONGS = 10;
  private static final int MAPPED = 4;
  private static final int TAKEN = 7;
  private static final int ATTEMPTS = 2000;
  private static final long PAUSE_NANOS = 5_000_000;
  private static final MethodHandle MALLINFO2 =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("mallinfo2"),
              FunctionDescriptor.of(
                  MemoryLayout.structLayout(MemoryLayout.sequenceLayout(LONGS, JAVA_LONG))));

  private MallocMemory() {}

  /**
   * What glibc says is taken of its heaps and in mappings, less what the JVM itself says it has taken there. Both are asked one
   * after the other while compilers work, so an answer counts only where the JVM says the same before and after.
   */
  static long takenBytes() {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long ofJvm = ofJvmBytes();
      long all = allBytes();
      if (ofJvmBytes() == ofJvm) {
        return all - ofJvm;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new IllegalStateException("the JVM never stopped allocating");
  }

  private static long ofJvmBytes() {
    String jvm = NativeMemory.report();
    return NativeMemory.bytes(jvm, "malloc: (\\d+)")
        - NativeMemory.bytes(jvm, "\\(malloc=(\\d+) tag=Other");
  }

  private static long allBytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = (MemorySegment) MALLINFO2.invokeExact((SegmentAllocator) arena);
      return info.getAtIndex(JAVA_LONG, MAPPED) + info.getAtIndex(JAVA_LONG, TAKEN);
    } catch (Throwable t) {
      throw new IllegalStateException("mallinfo2 could not be called", t);
    }
  }
}
