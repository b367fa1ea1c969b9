package io.penstock.trainer.nd4j;

import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The regions of a program in the device's memory, and room to work in; all of it made before the first step. */
final class Buffers implements AutoCloseable {
  private static final int WORK_BUFFERS = 3;

  private final Library library;
  private final Program program;
  private final List<Buffer> all = new ArrayList<>();
  private final Buffer parameters;
  private final Buffer gradients;
  private final Buffer optimizer;
  private final Buffer scratch;
  private final List<Buffer> work = new ArrayList<>();
  private final Map<Float, Array> constants = new HashMap<>();
  private final Buffer ones;
  private final Buffer zeros;

  Buffers(Library library, Program program) {
    this.library = library;
    this.program = program;
    parameters = floats(program.size(Region.PARAMETERS));
    gradients = floats(program.size(Region.GRADIENTS));
    optimizer = floats(program.size(Region.OPTIMIZER));
    scratch = floats(program.size(Region.SCRATCH));
    for (int i = 0; i < WORK_BUFFERS; i++) {
      work.add(floats(largest(program)));
    }
    ones = filled(capacityRows(), 1);
    zeros = floats(program.size(Region.GRADIENTS));
  }

  /** Values of the largest operand that is worked on. */
  private static long largest(Program program) {
    LongStream operands =
        Stream.of(program.forward(), program.gradient(), program.update())
            .flatMap(List::stream)
            .mapToLong(call -> size(worked(call)));
    return operands.max().orElse(1);
  }

  private static Matrix worked(KernelCall call) {
    return switch (call) {
      case KernelCall.SelectRows c -> c.weights();
      case KernelCall.Gemm c -> c.c();
      case KernelCall.ActivationGradient c -> c.delta();
      case KernelCall.Loss c -> c.rows().outputs();
      case KernelCall.Evaluate c -> c.rows().losses();
      case KernelCall.CheckGradient c -> c.gradient();
      case KernelCall.Update c -> c.parameters();
    };
  }

  /** Values of a matrix with all its lanes. */
  static long size(Matrix matrix) {
    return (long) matrix.rows() * matrix.stride();
  }

  /** Zeros that live as long as the session. */
  Buffer floats(long count) {
    return owned(Buffer.floats(library, count));
  }

  /** A class index for each lane. */
  Buffer indices() {
    return owned(new Buffer(library, Buffer.Type.LONG, lanes()));
  }

  private Buffer owned(Buffer buffer) {
    all.add(buffer);
    return buffer;
  }

  /** Floats of a line: rows of the minibatch and padding. */
  int lanes() {
    return program.layout().strideRows();
  }

  int capacityRows() {
    return program.layout().capacityRows();
  }

  Buffer region(Region region) {
    return switch (region) {
      case PARAMETERS -> parameters;
      case GRADIENTS -> gradients;
      case OPTIMIZER -> optimizer;
      case SCRATCH -> scratch;
      case SLOT -> throw new IllegalArgumentException("the slot is not a region of the session");
    };
  }

  /** One of the buffers that any kernel may overwrite. */
  Buffer work(int index) {
    return work.get(index);
  }

  /** One value. */
  Array constant(double value) {
    return constants.computeIfAbsent((float) value, v -> filled(1, v).vector(0, 1));
  }

  /** A 1 for each row of a full minibatch. */
  Buffer ones() {
    return ones;
  }

  /** A 0 for each parameter. */
  Buffer zeros() {
    return zeros;
  }

  private Buffer filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    Buffer buffer = floats(count);
    write(buffer, values);
    return buffer;
  }

  void read(Region region, MemorySegment to) {
    if (to.byteSize() == 0) {
      return;
    }
    if (to.isNative()) {
      library.copyToHost(new Address().at(to.address()), region(region).at(0), to.byteSize());
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment staging = arena.allocate(to.byteSize(), Float.BYTES);
      read(region, staging);
      to.copyFrom(staging);
    }
  }

  void write(Region region, float[] from) {
    write(region(region), from);
  }

  private void write(Buffer buffer, float[] from) {
    if (from.length == 0) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment staging = arena.allocateFrom(ValueLayout.JAVA_FLOAT, from);
      library.copyToDevice(buffer.at(0), new Address().at(staging.address()), staging.byteSize());
    }
    buffer.written();
  }

  @Override
  public void close() {
    all.forEach(Buffer::close);
  }
}
