package io.penstock.trainer.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** A slot's place on the device: its copy, the graph that computes on it, and where the result comes back to. */
final class Twin {
  private final long memory;
  private final MemorySegment record;
  private final long copied;
  private final long computed;
  private long graph;

  /**
   * @param slotBytes that are copied
   * @param recordBytes of the result
   */
  Twin(CudaContext context, long slotBytes, long recordBytes, long stream) {
    memory = Regions.cleared(context, slotBytes, stream);
    record = context.pinned(recordBytes);
    copied = context.event();
    computed = context.event();
  }

  long memory() {
    return memory;
  }

  /** The result of the last step, once it is {@link #isDone}. */
  MemorySegment record() {
    return record;
  }

  /** Captures what is launched for each step, and the copy of what lies at {@code step} then. */
  void capture(CudaContext context, List<Launch> launches, long step, long stream) {
    graph =
        context.graph(
            stream,
            () -> {
              for (Launch launch : launches) {
                launch.on(stream);
              }
              Cuda.copyToHost(record.address(), step, record.byteSize(), stream);
            });
  }

  /** Puts a step on the streams; returns at once. */
  void submit(long slot, long bytes, long copyStream, long computeStream) {
    copy(slot, bytes, copyStream);
    awaitCopy(computeStream);
    compute(computeStream);
  }

  /** The first part of a step: the slot's copy, and the event behind it. */
  void copy(long slot, long bytes, long copyStream) {
    Cuda.copyToDevice(memory, slot, bytes, copyStream);
    Cuda.eventRecord(copied, copyStream);
  }

  /** Has a stream wait for the copy. */
  void awaitCopy(long computeStream) {
    Cuda.streamWaitEvent(computeStream, copied);
  }

  /** The last part of a step, on what was copied last, and the event behind it. */
  void compute(long computeStream) {
    Cuda.graphLaunch(graph, computeStream);
    Cuda.eventRecord(computed, computeStream);
  }

  /** Whether the last step submitted has ended. */
  boolean isDone() {
    return Cuda.eventQuery(computed);
  }
}
