package io.penstock.app;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file by the published specification of safetensors ("Format" in the README of github.com/huggingface/safetensors), word by word
 * and no more lenient than that. It shares no code with what it is held against.
 *
 * @param tensors by name, in the order of their bytes
 */
record SafetensorsFile(Map<String, String> metadata, Map<String, Tensor> tensors) {
  private static final Map<String, Integer> BYTES =
      Map.ofEntries(
          Map.entry("F64", 8),
          Map.entry("I64", 8),
          Map.entry("U64", 8),
          Map.entry("F32", 4),
          Map.entry("I32", 4),
          Map.entry("U32", 4),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("I16", 2),
          Map.entry("U16", 2),
          Map.entry("I8", 1),
          Map.entry("U8", 1),
          Map.entry("BOOL", 1));

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * A tensor.
   *
   * @param begin of its bytes in the buffer behind the header
   * @param data little-endian
   */
  record Tensor(String name, String dtype, List<Long> shape, long begin, ByteBuffer data) {
    int bytesEach() {
      return BYTES.getOrDefault(dtype, 0);
    }

    byte[] bytes() {
      byte[] bytes = new byte[data.remaining()];
      data.duplicate().get(bytes);
      return bytes;
    }
  }

  /**
   * Reads it.
   *
   * @throws IOException where the specification says otherwise
   */
  static SafetensorsFile read(Path path) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    long size = file.getLong();
    require(size >= 2 && size <= Math.min(100_000_000, file.remaining()), "header of " + size);
    byte[] header = new byte[(int) size];
    file.get(header);
    require(header[0] == '{', "it begins with " + (char) header[0]);
    String text = new String(header, StandardCharsets.UTF_8);
    require(text.stripTrailing().length() == text.replaceAll(" +$", "").length(), "padding");
    ByteBuffer buffer = file.slice().order(ByteOrder.LITTLE_ENDIAN);

    Map<String, String> metadata = new LinkedHashMap<>();
    List<Tensor> found = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : JSON.readTree(text).properties()) {
      if (entry.getKey().equals("__metadata__")) {
        for (Map.Entry<String, JsonNode> word : entry.getValue().properties()) {
          require(word.getValue().isString(), "metadata are texts: " + word);
          metadata.put(word.getKey(), word.getValue().asString());
        }
      } else {
        found.add(tensor(entry.getKey(), entry.getValue(), buffer));
      }
    }
    found.sort(Comparator.comparingLong(Tensor::begin));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    long end = 0;
    for (Tensor tensor : found) {
      require(tensor.begin() == end, "a hole, or bytes of two, before " + tensor);
      end += tensor.data().remaining();
      tensors.put(tensor.name(), tensor);
    }
    require(end == buffer.capacity(), "bytes of no tensor behind " + end);
    return new SafetensorsFile(metadata, tensors);
  }

  private static Tensor tensor(String name, JsonNode node, ByteBuffer buffer) throws IOException {
    require(
        node.propertyNames().size() == 3 && node.path("data_offsets").size() == 2,
        name + " is " + node);
    List<Long> shape = new ArrayList<>();
    long bytes = BYTES.getOrDefault(node.path("dtype").asString(), 0);
    require(bytes > 0, name + " is of an unknown type: " + node);
    for (JsonNode dimension : node.path("shape")) {
      require(dimension.isIntegralNumber() && dimension.asLong() >= 0, name + " is " + node);
      shape.add(dimension.asLong());
      bytes = Math.multiplyExact(bytes, dimension.asLong());
    }
    long begin = node.at("/data_offsets/0").asLong();
    long end = node.at("/data_offsets/1").asLong();
    require(
        begin >= 0 && begin <= end && end <= buffer.capacity() && end - begin == bytes,
        name + " is " + node);
    return new Tensor(
        name,
        node.path("dtype").asString(),
        shape,
        begin,
        buffer.slice((int) begin, (int) bytes).order(ByteOrder.LITTLE_ENDIAN));
  }

  private static void require(boolean right, String wrong) throws IOException {
    if (!right) {
      throw new IOException("not as the specification says: " + wrong);
    }
  }
}
