package io.penstock.trainer.nd4j;

import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Region;

/** Matrices of a program as arrays, those of the slot lying in one twin. */
final class Operands {
  private final Buffers buffers;
  private final Buffer minibatch;

  Operands(Buffers buffers, Buffer minibatch) {
    this.buffers = buffers;
    this.minibatch = minibatch;
  }

  Buffer buffer(Matrix matrix) {
    return matrix.region() == Region.SLOT ? minibatch : buffers.region(matrix.region());
  }

  /** All lanes of all lines as one vector. */
  Array flat(Matrix m) {
    return buffer(m).vector(m.offset(), Buffers.size(m));
  }

  /** All lanes of one line. */
  Array line(Matrix m, int line) {
    return buffer(m).vector(m.offset() + (long) line * m.stride(), m.stride());
  }

  /** All lanes of all lines. */
  Array lines(Matrix m) {
    return buffer(m).matrix(m.offset(), m.rows(), m.stride());
  }

  /** What a matrix product takes: of each line the rows of a full minibatch, or all its columns. */
  Array product(Matrix m) {
    return buffer(m).matrix(m.offset(), m.rows(), columns(m), m.stride());
  }

  /** The transpose of that. */
  Array transposed(Matrix m) {
    return buffer(m).transposed(m.offset(), m.rows(), columns(m), m.stride());
  }

  private int columns(Matrix m) {
    return m.columns(buffers.capacityRows());
  }

  /** A value for each line: what is stored as one line, as a column. */
  Array column(Matrix m) {
    return buffer(m).matrix(m.offset(), m.columns(), 1);
  }

  /** Room to work in. */
  Buffer work(int index) {
    return buffers.work(index);
  }

  /** Room to work in, of the form of {@link #flat}. */
  Array workFlat(int index, Matrix like) {
    return buffers.work(index).vector(0, Buffers.size(like));
  }

  /** Room to work in, of the form of {@link #lines}. */
  Array workLines(int index, Matrix like) {
    return buffers.work(index).matrix(0, like.rows(), like.stride());
  }

  /** One value for all. */
  Array constant(double value) {
    return buffers.constant(value);
  }
}
