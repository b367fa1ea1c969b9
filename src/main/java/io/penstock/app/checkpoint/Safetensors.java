package io.penstock.app.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The safetensors format (github.com/huggingface/safetensors): eight bytes with the length of a JSON header, the header, which
 * gives type, shape and place of each tensor, and the tensors without gaps; all little-endian.
 */
final class Safetensors {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String METADATA = "__metadata__";
  private static final int LENGTH_BYTES = Long.BYTES;

  /** The format's own bound. */
  private static final long MOST_HEADER_BYTES = 100_000_000;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Safetensors() {}

  /** Types that the format names and this class knows, the widest first, so that all are aligned. */
  enum DType {
    F64(Double.BYTES),
    I64(Long.BYTES),
    F32(Float.BYTES),
    F16(Short.BYTES),
    BF16(Short.BYTES),
    U8(1);

    private final int bytes;

    DType(int bytes) {
      this.bytes = bytes;
    }
  }

  /**
   * A tensor.
   *
   * @param data of as many bytes as type and shape say
   */
  record Tensor(String name, DType type, List<Long> shape, MemorySegment data) {
    static Tensor of(String name, DType type, MemorySegment data, long... shape) {
      return new Tensor(name, type, Arrays.stream(shape).boxed().toList(), data);
    }

    /** The values as floats; exact but for F64. */
    float[] floats() {
      return switch (type) {
        case F32 -> data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        case F64 -> {
          double[] values = data.toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED);
          float[] floats = new float[values.length];
          for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
          }
          yield floats;
        }
        case F16, BF16 -> {
          short[] values = data.toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
          float[] floats = new float[values.length];
          for (int i = 0; i < floats.length; i++) {
            floats[i] =
                type == DType.F16
                    ? Float.float16ToFloat(values[i])
                    : Float.intBitsToFloat(values[i] << 16);
          }
          yield floats;
        }
        case I64, U8 ->
            throw new CheckpointException("tensor '%s' holds %s, not floats".formatted(name, type));
      };
    }
  }

  /**
   * What a file holds, its tensors in the order of their places.
   *
   * @param unknown names and types of those that this class cannot read
   */
  record Contents(
      Map<String, String> metadata, Map<String, Tensor> tensors, Map<String, String> unknown) {}

  /** The tensors in the order in which {@link #header} places them. */
  static List<Tensor> ordered(List<Tensor> tensors) {
    return tensors.stream()
        .sorted(Comparator.comparing(Tensor::type).thenComparing(Tensor::name))
        .toList();
  }

  /** Length and header, for tensors that follow in this order. */
  static byte[] header(Map<String, String> metadata, List<Tensor> tensors) {
    ObjectNode json = JSON.createObjectNode();
    ObjectNode strings = json.putObject(METADATA);
    metadata.forEach(strings::put);
    long offset = 0;
    for (Tensor tensor : tensors) {
      ObjectNode node = json.putObject(tensor.name());
      node.put("dtype", tensor.type().name());
      ArrayNode shape = node.putArray("shape");
      tensor.shape().forEach(shape::add);
      node.putArray("data_offsets").add(offset).add(offset + tensor.data().byteSize());
      offset += tensor.data().byteSize();
    }
    byte[] text = JSON.writeValueAsBytes(json);
    int padded = (text.length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    byte[] header = new byte[LENGTH_BYTES + padded];
    MemorySegment.ofArray(header).set(LENGTH, 0, padded);
    System.arraycopy(text, 0, header, LENGTH_BYTES, text.length);
    Arrays.fill(header, LENGTH_BYTES + text.length, header.length, (byte) ' ');
    return header;
  }

  /**
   * Maps a file into memory for as long as {@code arena} lives.
   *
   * @throws CheckpointException where it cannot be read or is empty
   */
  static MemorySegment map(Disk disk, Path file, Arena arena) {
    try (FileChannel channel = disk.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read (%s)".formatted(file, e), e);
    }
  }

  /**
   * The contents of a file's bytes; the tensors look at them.
   *
   * @param name of the file, for messages
   * @throws CheckpointException where they are not what the format says
   */
  static Contents parse(String name, MemorySegment bytes) {
    if (bytes.byteSize() < LENGTH_BYTES) {
      throw damaged(name, "it has " + bytes.byteSize() + " bytes");
    }
    long length = bytes.get(LENGTH, 0);
    if (length < 2 || length > Math.min(MOST_HEADER_BYTES, bytes.byteSize() - LENGTH_BYTES)) {
      throw damaged(
          name, "a header of %d bytes in a file of %d".formatted(length, bytes.byteSize()));
    }
    MemorySegment data = bytes.asSlice(LENGTH_BYTES + length);
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Placed> placed = new ArrayList<>();
    try {
      JsonNode json =
          JSON.readTree(
              new String(
                  bytes.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE), UTF_8));
      json.forEachEntry(
          (key, value) -> {
            if (key.equals(METADATA)) {
              value.forEachEntry((k, v) -> metadata.put(k, v.asString()));
            } else {
              placed.add(placed(name, key, value));
            }
          });
    } catch (JacksonException e) {
      throw damaged(name, "its header is not JSON: " + e.getOriginalMessage());
    }
    placed.sort(Comparator.comparingLong(Placed::from).thenComparingLong(Placed::to));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, String> unknown = new LinkedHashMap<>();
    long at = 0;
    for (Placed next : placed) {
      if (next.from() != at || next.to() < at || next.to() > data.byteSize()) {
        throw damaged(
            name,
            "tensor '%s' lies at %d to %d of %d bytes, where %d was to be next"
                .formatted(next.name(), next.from(), next.to(), data.byteSize(), at));
      }
      at = next.to();
      if (next.type() != null) {
        tensors.put(
            next.name(),
            new Tensor(
                next.name(),
                next.type(),
                next.shape(),
                data.asSlice(next.from(), next.to() - next.from())));
      } else {
        unknown.put(next.name(), next.typeName());
      }
    }
    if (at != data.byteSize()) {
      throw damaged(name, "%d bytes belong to no tensor".formatted(data.byteSize() - at));
    }
    return new Contents(metadata, tensors, unknown);
  }

  /**
   * Where a tensor lies.
   *
   * @param type null: one that this class does not know
   */
  private record Placed(
      String name, String typeName, @Nullable DType type, List<Long> shape, long from, long to) {}

  private static Placed placed(String file, String name, JsonNode node) {
    JsonNode offsets = node.path("data_offsets");
    JsonNode dimensions = node.path("shape");
    if (!node.path("dtype").isString() || !dimensions.isArray() || offsets.size() != 2) {
      throw damaged(file, "tensor '%s' lacks type, shape or place".formatted(name));
    }
    String typeName = node.path("dtype").asString();
    DType type = type(typeName);
    List<Long> shape = new ArrayList<>();
    dimensions.forEach(dimension -> shape.add(dimension.asLong(-1)));
    long from = offsets.get(0).asLong(-1);
    long to = offsets.get(1).asLong(-1);
    if (type != null && elements(shape) * type.bytes != to - from) {
      throw damaged(
          file, "tensor '%s' of %s %s has %d bytes".formatted(name, type, shape, to - from));
    }
    return new Placed(name, typeName, type, List.copyOf(shape), from, to);
  }

  private static long elements(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      if (dimension < 0 || (dimension > 0 && product > (1L << 48) / dimension)) {
        return -1;
      }
      product *= dimension;
    }
    return product;
  }

  private static @Nullable DType type(String name) {
    return Arrays.stream(DType.values())
        .filter(type -> type.name().equals(name.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElse(null);
  }

  static CheckpointException damaged(String file, String how) {
    return new CheckpointException("%s: is not a whole safetensors file: %s".formatted(file, how));
  }
}
