package io.penstock.app.checkpoint;

import io.penstock.app.checkpoint.Safetensors.Contents;
import io.penstock.app.checkpoint.Safetensors.DType;
import io.penstock.app.checkpoint.Safetensors.Tensor;
import io.penstock.trainer.model.ParameterLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Weights to start with, from a safetensors file: a checkpoint, or one that another program wrote.
 *
 * <p>Tensors are taken by their names ({@code layer0.weight}), with or without {@code model.} before them; where the file has
 * other names, such as those of PyTorch's Sequential, in the order of these, numbers counted as numbers. PyTorch keeps a weight as outputs by inputs, so a file that
 * says {@code format: pt}, or nothing, is read so; all others as inputs by outputs.
 */
public final class Weights {
  private static final String PREFIX = "model.";

  private Weights() {}

  /**
   * The flat parameter buffer.
   *
   * @throws CheckpointException where the file does not have the tensors that the model needs, or is a checkpoint that is not whole
   */
  public static float[] read(Path file, ParameterLayout layout) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = Safetensors.map(Disk.REAL, file, arena);
      Contents contents = Safetensors.parse(file.toString(), bytes);
      Checkpoint.requireWhole(file.toString(), bytes, contents);
      String format = contents.metadata().getOrDefault("format", "pt");
      Map<String, Tensor> tensors = byName(file, contents, layout);
      float[] values = new float[layout.size()];
      for (ParameterLayout.Tensor wanted : layout.tensors()) {
        fill(
            file,
            wanted,
            Objects.requireNonNull(tensors.get(wanted.name())),
            format.equals("pt"),
            values);
      }
      return values;
    }
  }

  private static Map<String, Tensor> byName(Path file, Contents contents, ParameterLayout layout) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (ParameterLayout.Tensor wanted : layout.tensors()) {
      Tensor own =
          contents
              .tensors()
              .getOrDefault(PREFIX + wanted.name(), contents.tensors().get(wanted.name()));
      if (own != null) {
        named.put(wanted.name(), own);
      }
    }
    if (named.size() == layout.tensors().size()) {
      return named;
    }
    List<Tensor> floats = new ArrayList<>(contents.tensors().values());
    floats.removeIf(tensor -> tensor.type() == DType.U8 || tensor.type() == DType.I64);
    if (!named.isEmpty() || floats.size() != layout.tensors().size()) {
      throw new CheckpointException(
          "%s: has the tensors %s%s; the model needs %s"
              .formatted(
                  file,
                  floats.stream().map(Weights::shown).collect(Collectors.joining(", ")),
                  contents.unknown().isEmpty()
                      ? ""
                      : " (and of types that are not read: %s)".formatted(contents.unknown()),
                  layout.tensors().stream().map(Weights::shown).collect(Collectors.joining(", "))));
    }
    floats.sort(Comparator.comparing(tensor -> sortable(tensor.name())));
    for (int i = 0; i < floats.size(); i++) {
      named.put(layout.tensors().get(i).name(), floats.get(i));
    }
    return named;
  }

  /** So that 10 comes after 9, and a layer's bias, as everywhere, behind its weight. */
  private static String sortable(String name) {
    StringBuilder sortable = new StringBuilder();
    for (String part : name.split("\\.", -1)) {
      sortable
          .append(
              part.matches("\\d{1,9}")
                  ? "%09d".formatted(Integer.parseInt(part))
                  : part.equals("bias") ? "~bias" : part)
          .append('.');
    }
    return sortable.toString();
  }

  private static void fill(
      Path file, ParameterLayout.Tensor wanted, Tensor found, boolean transposed, float[] values) {
    int rows = wanted.rows();
    int columns = wanted.columns();
    boolean vector = rows == 1 && found.shape().equals(List.of((long) columns));
    boolean asHere = vector || found.shape().equals(List.of((long) rows, (long) columns));
    boolean asThere = found.shape().equals(List.of((long) columns, (long) rows));
    if (transposed ? !vector && !asThere : !asHere) {
      throw new CheckpointException(
          "%s: tensor '%s' is %s; the model needs %s%s"
              .formatted(
                  file,
                  found.name(),
                  found.shape(),
                  shown(wanted),
                  transposed && asHere ? ", outputs first as PyTorch has it" : ""));
    }
    float[] from = found.floats();
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        int at = transposed && !vector ? column * rows + row : row * columns + column;
        values[wanted.offset() + row * columns + column] = from[at];
      }
    }
  }

  private static String shown(Tensor tensor) {
    return tensor.name() + " " + tensor.shape();
  }

  private static String shown(ParameterLayout.Tensor tensor) {
    return tensor.name() + " " + tensor.shape();
  }
}
