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

/** What libraries have allocated from glibc. */
final class MallocMemory {
  private static final int LONGS = 10;
  private static final int MAPPED = 4;
  private static final int TAKEN = 7;
  private static final MethodHandle MALLINFO2 =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("mallinfo2"),
              FunctionDescriptor.of(
                  MemoryLayout.structLayout(MemoryLayout.sequenceLayout(LONGS, JAVA_LONG))));

  private MallocMemory() {}

  /** What glibc says is taken of its heaps and in mappings, less what the JVM itself says it has taken there. */
  static long takenBytes() {
    String jvm = NativeMemory.report();
    long ofJvm =
        NativeMemory.bytes(jvm, "malloc: (\\d+)")
            - NativeMemory.bytes(jvm, "\\(malloc=(\\d+) tag=Other");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = (MemorySegment) MALLINFO2.invokeExact((SegmentAllocator) arena);
      return info.getAtIndex(JAVA_LONG, MAPPED) + info.getAtIndex(JAVA_LONG, TAKEN) - ofJvm;
    } catch (Throwable t) {
      throw new IllegalStateException("mallinfo2 could not be called", t);
    }
  }
}
