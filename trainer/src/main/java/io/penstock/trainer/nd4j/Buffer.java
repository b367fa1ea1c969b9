package io.penstock.trainer.nd4j;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.OpaqueConstantShapeBuffer;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/** Zeroed values in the device's memory, and views of them. */
final class Buffer implements AutoCloseable {
  /** What is in it, by ND4J's numbers (DataType). */
  enum Type {
    FLOAT(5, Float.BYTES),
    LONG(10, Long.BYTES);

    private final int number;
    private final int bytes;

    Type(int number, int bytes) {
      this.number = number;
      this.bytes = bytes;
    }
  }

  private final Library library;
  private final Type type;
  private final OpaqueDataBuffer buffer;
  private final List<OpaqueDataBuffer> views = new ArrayList<>();
  private final long address;

  Buffer(Library library, Type type, long count) {
    this.library = library;
    this.type = type;
    NativeOps ops = library.ops();
    // A view of no values could not be made.
    long atLeastOne = Math.max(1, count);
    buffer = ops.allocateDataBuffer(atLeastOne, type.number, false);
    library.check("allocateDataBuffer");
    address = library.deviceAddress(buffer);
    clear(atLeastOne * type.bytes);
  }

  static Buffer floats(Library library, long count) {
    return new Buffer(library, Type.FLOAT, count);
  }

  private void clear(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      Address zeros = new Address().at(arena.allocate(bytes).address());
      library.copyToDevice(new Address().at(address), zeros, bytes);
    }
    library.ops().dbTickDeviceWrite(buffer);
  }

  /** Address of value {@code index} in the device's memory. */
  Pointer at(long index) {
    return new Address().at(address + index * type.bytes);
  }

  /** Says that the device's memory was written to by a copy, which the library does not see. */
  void written() {
    library.ops().dbTickDeviceWrite(buffer);
  }

  Array vector(long offset, long count) {
    return view(offset, count, 1, new long[] {count}, new long[] {1});
  }

  /** All that lies in {@code rows} lines without a gap. */
  Array matrix(long offset, long rows, long columns) {
    return view(offset, rows * columns, 1, new long[] {rows, columns}, new long[] {columns, 1});
  }

  /** The first {@code columns} of each line. */
  Array matrix(long offset, long rows, long columns, long stride) {
    return view(
        offset,
        (rows - 1) * stride + columns,
        stride == columns ? 1 : 0,
        new long[] {rows, columns},
        new long[] {stride, 1});
  }

  /** The transpose of that: {@code columns} lines of {@code rows} values. */
  Array transposed(long offset, long rows, long columns, long stride) {
    return view(
        offset,
        (rows - 1) * stride + columns,
        0,
        new long[] {columns, rows},
        new long[] {1, stride});
  }

  private Array view(long offset, long extent, long wise, long[] shape, long[] strides) {
    NativeOps ops = library.ops();
    OpaqueDataBuffer view = ops.dbCreateView(buffer, extent * type.bytes, offset * type.bytes);
    library.check("dbCreateView");
    views.add(view);
    try (LongPointer lengths = new LongPointer(shape);
        LongPointer steps = new LongPointer(strides)) {
      OpaqueConstantShapeBuffer info =
          ops.shapeBuffer(shape.length, lengths, steps, type.number, 'c', wise, false);
      library.check("shapeBuffer");
      Array array =
          new Array(
              view,
              new LongPointer(ops.getConstantShapeBufferPrimary(info)),
              ops.getConstantShapeBufferSpecial(info));
      ops.deleteConstantShapeBuffer(info);
      return array;
    }
  }

  @Override
  public void close() {
    views.forEach(library.ops()::deleteDataBuffer);
    views.clear();
    library.ops().deleteDataBuffer(buffer);
  }
}
