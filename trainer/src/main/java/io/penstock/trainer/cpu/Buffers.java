package io.penstock.trainer.cpu;

import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The regions of a program in native memory, and vectors to work in. */
final class Buffers implements AutoCloseable {
  private static final long ALIGNMENT = 64;
  private static final int SUM_VECTORS = 8;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment parameters;
  private final MemorySegment gradients;
  private final MemorySegment optimizer;
  private final MemorySegment scratch;
  private final long sums;
  private final long largest;
  private final long totals;

  Buffers(Program program) {
    parameters = allocate(program.size(Region.PARAMETERS));
    gradients = allocate(program.size(Region.GRADIENTS));
    optimizer = allocate(program.size(Region.OPTIMIZER));
    scratch = allocate(program.size(Region.SCRATCH));
    sums = allocate(SUM_VECTORS * Memory.LANES).address();
    largest = allocate(program.layout().strideRows()).address();
    totals = allocate(program.layout().strideRows()).address();
  }

  private MemorySegment allocate(int floats) {
    return arena.allocate((long) floats * Float.BYTES, ALIGNMENT);
  }

  MemorySegment region(Region region) {
    return switch (region) {
      case PARAMETERS -> parameters;
      case GRADIENTS -> gradients;
      case OPTIMIZER -> optimizer;
      case SCRATCH -> scratch;
      case SLOT -> throw new IllegalArgumentException("the slot is not a region of the session");
    };
  }

  Operand operand(Matrix matrix) {
    long bytes = matrix.offset() * Float.BYTES;
    return matrix.region() == Region.SLOT
        ? new Operand(bytes, true, matrix)
        : new Operand(region(matrix.region()).address() + bytes, false, matrix);
  }

  /** Eight vectors of whoever runs. */
  long sums() {
    return sums;
  }

  /** As many zeros, for as long as the session lives. */
  long zeros(int count) {
    return allocate(count).address();
  }

  /** A value for each row, within one call: the softmax's largest output. */
  long largest() {
    return largest;
  }

  /** A value for each row, within one call: the softmax's sum. */
  long totals() {
    return totals;
  }

  void read(Region region, MemorySegment to) {
    to.copyFrom(region(region));
  }

  void write(Region region, float[] from) {
    MemorySegment.copy(from, 0, region(region), ValueLayout.JAVA_FLOAT, 0, from.length);
  }

  @Override
  public void close() {
    arena.close();
  }
}
