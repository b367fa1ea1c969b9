package io.penstock.app;

import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.pipeline.State;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a run has come to: what its report says of the rows and of what was learnt, and every array of its last checkpoint.
 *
 * @param values by name; arrays as bytes
 */
record Ending(JsonNode report, Map<String, Object> values) {
  private static final Set<String> REPORTED =
      Set.of(
          "records",
          "rejected",
          "skipped",
          "leftOut",
          "rollbacks",
          "notTrained",
          "batches",
          "prequential",
          "ledger",
          "weightsSha256");

  /** Partition, epoch, end and durable row of each. */
  private static final int PRODUCER_LONGS = 4;

  private static final int PRODUCER_EPOCH = 1;

  /** Reads what is left of an ended run: the report, and the newest checkpoint of a folder. */
  static Ending of(Path report, Path checkpoints) throws IOException {
    JsonNode json = JsonMapper.shared().readTree(Files.readString(report));
    Map<String, Object> values = new TreeMap<>();
    for (String name : REPORTED) {
      JsonNode value = json.get(name);
      if (value == null) {
        throw new IOException("the report has no " + name + ": " + json);
      }
      values.put("report." + name, value);
    }
    Checkpoint last = CheckpointDirectory.read(checkpoints);
    values.put("checkpoint.columns", last.columns());
    values.put("checkpoint.features", last.features());
    last.state()
        .arrays()
        .forEach((name, array) -> values.put("state." + name, bytes(comparable(name, array))));
    return new Ending(json, values);
  }

  /** Without the epochs of the producers: these count how often one has begun anew. */
  private static Object comparable(String name, Object array) {
    if (!name.endsWith(".producerNumbers")) {
      return array;
    }
    long[] numbers = ((long[]) array).clone();
    for (int at = PRODUCER_EPOCH; at < numbers.length; at += PRODUCER_LONGS) {
      numbers[at] = 0;
    }
    return numbers;
  }

  /** Names of what is not the same, to the bit; empty where the runs are equal. */
  Set<String> differences(Ending that) {
    Set<String> names = new TreeSet<>(values.keySet());
    names.addAll(that.values.keySet());
    names.removeIf(name -> same(values.get(name), that.values.get(name)));
    return names;
  }

  private static boolean same(@Nullable Object one, @Nullable Object other) {
    return Arrays.deepEquals(new Object[] {one}, new Object[] {other});
  }

  private static byte[] bytes(Object array) {
    MemorySegment memory =
        switch (array) {
          case byte[] bytes -> MemorySegment.ofArray(bytes);
          case long[] longs -> MemorySegment.ofArray(longs);
          case double[] doubles -> MemorySegment.ofArray(doubles);
          case float[] floats -> MemorySegment.ofArray(floats);
          case State.Matrix matrix -> matrix.values();
          default -> throw new IllegalArgumentException("no array: " + array.getClass());
        };
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }
}
