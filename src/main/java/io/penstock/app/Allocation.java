package io.penstock.app;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/** Heap that all threads together allocate for a row, from the end of warm-up on. Any thread. */
final class Allocation {
  private @Nullable ThreadMXBean threads;
  private long rowsAtBegin;
  private long bytesAtBegin;
  private long bytesAtEnd = -1;

  /** Begins to count, once; only now, since the counter's classes would slow a start. */
  synchronized void begin(long rows) {
    if (threads == null) {
      threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      rowsAtBegin = rows;
      bytesAtBegin = threads.getTotalThreadAllocatedBytes();
    }
  }

  /** Ends counting. */
  synchronized void end() {
    if (threads != null && bytesAtEnd < 0) {
      bytesAtEnd = threads.getTotalThreadAllocatedBytes();
    }
  }

  /** Bytes for each row since; NaN before the end of warm-up. */
  synchronized double perRow(long rows) {
    if (threads == null || rows <= rowsAtBegin) {
      return Double.NaN;
    }
    long now = bytesAtEnd < 0 ? threads.getTotalThreadAllocatedBytes() : bytesAtEnd;
    return (double) (now - bytesAtBegin) / (rows - rowsAtBegin);
  }
}
