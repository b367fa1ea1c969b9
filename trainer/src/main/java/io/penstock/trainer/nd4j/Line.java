package io.penstock.trainer.nd4j;

/**
 * A value for each lane, apart from the program's regions.
 *
 * @param vector its values
 * @param matrix the same as the one line of a matrix, to go with every line of another
 */
record Line(Array vector, Array matrix) {
  static Line of(Buffer buffer, long offset, int lanes) {
    return new Line(buffer.vector(offset, lanes), buffer.matrix(offset, 1, lanes));
  }

  static Line in(Buffers buffers) {
    return of(buffers.floats(buffers.lanes()), 0, buffers.lanes());
  }
}
