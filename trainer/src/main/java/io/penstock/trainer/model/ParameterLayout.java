package io.penstock.trainer.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Where each parameter lies in the flat buffer, and in those of gradients and optimizer state. Tensors begin at multiples of
 * 16 floats; what lies between is zero and stays so.
 *
 * @param size floats of the whole buffer
 */
public record ParameterLayout(List<Tensor> tensors, int size) {
  private static final int ALIGNMENT = 16;

  /**
   * A named tensor.
   *
   * @param name {@code layer0.weight}, {@code layer0.bias}, ...
   * @param offset of its first value, in floats
   * @param rows inputs of a weight, 1 for a bias
   * @param columns outputs
   */
  public record Tensor(String name, int offset, int rows, int columns) {
    public int size() {
      return rows * columns;
    }

    /** One number for a bias, inputs and outputs for a weight. */
    public List<Integer> shape() {
      return rows == 1 ? List.of(columns) : List.of(rows, columns);
    }

    Matrix in(Region region) {
      return new Matrix(region, offset, rows, columns, columns);
    }
  }

  static ParameterLayout of(List<Dense> layers) {
    List<Tensor> tensors = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < layers.size(); i++) {
      Dense layer = layers.get(i);
      offset = add(tensors, "layer" + i + ".weight", offset, layer.inputs(), layer.outputs());
      offset = add(tensors, "layer" + i + ".bias", offset, 1, layer.outputs());
    }
    return new ParameterLayout(List.copyOf(tensors), Math.toIntExact(offset));
  }

  private static long add(List<Tensor> tensors, String name, long offset, int rows, int columns) {
    long end = offset + (long) rows * columns;
    if (end > Integer.MAX_VALUE - ALIGNMENT) {
      throw new IllegalArgumentException(
          "model: dense parameters must be fewer than 2^31, not "
              + end
              + "; make a layer narrower");
    }
    tensors.add(new Tensor(name, (int) offset, rows, columns));
    return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
