package io.penstock.app.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.app.checkpoint.Safetensors.Contents;
import io.penstock.app.checkpoint.Safetensors.DType;
import io.penstock.app.checkpoint.Safetensors.Tensor;
import io.penstock.pipeline.State;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * All that is needed to go on as if nothing had happened. On disk it is a safetensors file, format version 1: the arrays of the
 * state by their names, {@code configuration} (YAML) and {@code columns} (JSON) as bytes, and last {@code sha256}, that of every
 * byte before it.
 *
 * @param number counts up within a folder
 * @param created when it was cut; for people only, no decision hangs on it
 * @param version of Penstock that wrote it
 * @param configuration of the run, in YAML
 * @param columns names of the data's columns; empty where the schema itself gives them
 * @param features names of the model's inputs
 * @param state of all parts
 */
public record Checkpoint(
    long number,
    Instant created,
    String version,
    String configuration,
    List<String> columns,
    List<String> features,
    State state) {
  private static final String FORMAT = "penstock";
  private static final String FORMAT_VERSION = "2";
  private static final String CONFIGURATION = "configuration";
  private static final String COLUMNS = "columns";
  private static final String FEATURES = "features";
  private static final String SHA256 = "sha256";
  private static final int SHA256_BYTES = 32;
  private static final int CHUNK_BYTES = 1 << 20;

  public Checkpoint {
    columns = List.copyOf(columns);
    features = List.copyOf(features);
  }

  /** The same, as the one of another number. */
  public Checkpoint withNumber(long other) {
    return new Checkpoint(other, created, version, configuration, columns, features, state);
  }

  /** Writes the file's bytes; returns how many there are. */
  long write(Disk disk, FileChannel file) throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", FORMAT);
    metadata.put("formatVersion", FORMAT_VERSION);
    metadata.put("version", version);
    metadata.put("number", Long.toString(number));
    metadata.put("created", created.toString());
    List<Tensor> tensors = new ArrayList<>();
    state.arrays().forEach((name, array) -> tensors.add(tensor(name, array)));
    tensors.add(bytes(CONFIGURATION, configuration.getBytes(UTF_8)));
    tensors.add(bytes(COLUMNS, JsonMapper.shared().writeValueAsBytes(columns)));
    tensors.add(bytes(FEATURES, JsonMapper.shared().writeValueAsBytes(features)));
    List<Tensor> ordered = new ArrayList<>(Safetensors.ordered(tensors));
    ordered.add(bytes(SHA256, new byte[SHA256_BYTES]));

    try (Arena arena = Arena.ofConfined()) {
      Output output = new Output(disk, file, arena.allocate(CHUNK_BYTES).asByteBuffer());
      output.add(MemorySegment.ofArray(Safetensors.header(metadata, ordered)));
      for (Tensor tensor : ordered.subList(0, ordered.size() - 1)) {
        output.add(tensor.data());
      }
      return output.end();
    }
  }

  /** Bytes on their way to a file, in large pieces, and their digest. */
  private static final class Output {
    private final Disk disk;
    private final FileChannel file;
    private final ByteBuffer chunk;
    private final MessageDigest digest = sha256();
    private long written;

    Output(Disk disk, FileChannel file, ByteBuffer chunk) {
      this.disk = disk;
      this.file = file;
      this.chunk = chunk;
    }

    void add(MemorySegment bytes) throws IOException {
      long at = 0;
      while (at < bytes.byteSize()) {
        int count = (int) Math.min(chunk.remaining(), bytes.byteSize() - at);
        MemorySegment.copy(bytes, at, MemorySegment.ofBuffer(chunk), 0, count);
        chunk.position(chunk.position() + count);
        at += count;
        if (!chunk.hasRemaining()) {
          flush();
        }
      }
    }

    private void flush() throws IOException {
      chunk.flip();
      digest.update(chunk.duplicate());
      send();
    }

    private void send() throws IOException {
      written += chunk.remaining();
      disk.write(file, chunk);
      chunk.clear();
    }

    long end() throws IOException {
      flush();
      chunk.put(digest.digest()).flip();
      send();
      return written;
    }
  }

  /**
   * Reads a file, and makes sure that it is whole.
   *
   * @throws CheckpointException where it is not, or of a format that this version does not know
   */
  static Checkpoint read(Disk disk, Path path) {
    String name = path.toString();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = Safetensors.map(disk, path, arena);
      Contents contents = parse(name, bytes);
      Map<String, String> metadata = contents.metadata();
      if (!FORMAT_VERSION.equals(metadata.get("formatVersion"))) {
        throw new CheckpointException(
            "%s: is of format %s %s; this version of Penstock reads %s %s. Its weights can be had: train --weights FILE, with another checkpoint.directory"
                .formatted(name, FORMAT, metadata.get("formatVersion"), FORMAT, FORMAT_VERSION));
      }
      Map<String, Tensor> tensors = new LinkedHashMap<>(contents.tensors());
      tensors.remove(SHA256);
      String configuration = text(name, CONFIGURATION, tensors.remove(CONFIGURATION));
      List<String> columns = texts(name, COLUMNS, tensors.remove(COLUMNS));
      List<String> features = texts(name, FEATURES, tensors.remove(FEATURES));
      State state = new State();
      tensors.values().forEach(tensor -> put(state, tensor));
      return new Checkpoint(
          Long.parseLong(metadata.getOrDefault("number", "0")),
          Instant.parse(metadata.getOrDefault("created", Instant.EPOCH.toString())),
          metadata.getOrDefault("version", "?"),
          configuration,
          columns,
          features,
          state);
    }
  }

  /** Of what cannot be read at all, the digest tells; what another program wrote is not called damaged. */
  private static Contents parse(String name, MemorySegment bytes) {
    Contents contents;
    try {
      contents = Safetensors.parse(name, bytes);
    } catch (CheckpointException e) {
      requireDigest(name, bytes);
      throw e;
    }
    if (!FORMAT.equals(contents.metadata().get("format"))) {
      throw new CheckpointException(
          "%s: is a safetensors file, but no checkpoint of Penstock; train --weights FILE can begin with its weights"
              .formatted(name));
    }
    requireDigest(name, bytes);
    return contents;
  }

  /** Makes sure of a file that says, by its format or its last tensor, that it is a checkpoint; others are of other programs. */
  static void requireWhole(String name, MemorySegment bytes, Contents contents) {
    if (FORMAT.equals(contents.metadata().get("format"))
        || contents.tensors().containsKey(SHA256)) {
      requireDigest(name, bytes);
    }
  }

  private static void requireDigest(String name, MemorySegment bytes) {
    long end = bytes.byteSize() - SHA256_BYTES;
    if (end < 0) {
      throw Safetensors.damaged(name, "it has " + bytes.byteSize() + " bytes");
    }
    MessageDigest digest = sha256();
    for (long at = 0; at < end; at += CHUNK_BYTES) {
      digest.update(bytes.asSlice(at, Math.min(CHUNK_BYTES, end - at)).asByteBuffer());
    }
    byte[] stored = bytes.asSlice(end).toArray(ValueLayout.JAVA_BYTE);
    if (!MessageDigest.isEqual(stored, digest.digest())) {
      throw Safetensors.damaged(
          name, "its bytes do not have the SHA-256 that it ends with: it was cut off or changed");
    }
  }

  private static Tensor tensor(String name, Object array) {
    return switch (array) {
      case State.Matrix m -> Tensor.of(name, DType.F32, m.values(), m.rows(), m.columns());
      case float[] f -> Tensor.of(name, DType.F32, MemorySegment.ofArray(f), f.length);
      case double[] d -> Tensor.of(name, DType.F64, MemorySegment.ofArray(d), d.length);
      case long[] l -> Tensor.of(name, DType.I64, MemorySegment.ofArray(l), l.length);
      case byte[] b -> bytes(name, b);
      default -> throw new IllegalStateException(name + " is " + array.getClass());
    };
  }

  private static Tensor bytes(String name, byte[] bytes) {
    return Tensor.of(name, DType.U8, MemorySegment.ofArray(bytes), bytes.length);
  }

  private static void put(State state, Tensor tensor) {
    String name = tensor.name();
    MemorySegment data = tensor.data();
    switch (tensor.type()) {
      case F64 -> state.put(name, data.toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED));
      case I64 -> state.put(name, data.toArray(ValueLayout.JAVA_LONG_UNALIGNED));
      case U8 -> state.put(name, data.toArray(ValueLayout.JAVA_BYTE));
      case F32, F16, BF16 -> {
        float[] floats = tensor.floats();
        List<Long> shape = tensor.shape();
        if (shape.size() == 2) {
          state.put(
              name,
              new State.Matrix(
                  MemorySegment.ofArray(floats),
                  Math.toIntExact(shape.getFirst()),
                  Math.toIntExact(shape.getLast())));
        } else {
          state.put(name, floats);
        }
      }
    }
  }

  private static String text(String file, String name, @Nullable Tensor tensor) {
    if (tensor == null) {
      throw Safetensors.damaged(file, "it lacks '%s'".formatted(name));
    }
    return new String(tensor.data().toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }

  private static List<String> texts(String file, String name, @Nullable Tensor tensor) {
    return List.of(JsonMapper.shared().readValue(text(file, name, tensor), String[].class));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }
}
