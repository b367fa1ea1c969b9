package io.penstock.trainer.nd4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/** What an update needs of its step: written on the host when the gradient is there, copied in the order of compute. */
final class Scalars {
  /** Brings the gradient within its bound. */
  static final int SCALE = 0;

  /** Adam's learning rate over the first bias correction. */
  static final int RATE = 1;

  /** Over the root of Adam's second bias correction. */
  static final int ROOT = 2;

  private static final int COUNT = 16;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Streams streams;
  private final Buffer device;
  private final MemorySegment host;
  private final Pointer from;
  private final Pointer to;

  Scalars(Buffers buffers, PinnedMemory pinned, Streams streams) {
    this.streams = streams;
    device = buffers.floats(COUNT);
    host = pinned.allocate((long) COUNT * Float.BYTES);
    from = new Address().at(host.address());
    to = device.at(0);
  }

  void set(int index, double value) {
    host.setAtIndex(FLOAT, index, (float) value);
  }

  void send() {
    streams.copyIn(to, from, host.byteSize());
    device.written();
  }

  Array array(int index) {
    return device.vector(index, 1);
  }
}
