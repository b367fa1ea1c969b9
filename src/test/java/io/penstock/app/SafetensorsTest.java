package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.SafetensorsFile.Tensor;
import io.penstock.app.checkpoint.CheckpointDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Checkpoints are safetensors files, and such files begin a run, whoever has written them. */
class SafetensorsTest {
  private static final int INPUTS = 8;
  private static final int HIDDEN = 16;

  /** One with the package safetensors, and for one test numpy; {@code PENSTOCK_PYTHON} in the environment names another. */
  private static final String PYTHON = System.getenv().getOrDefault("PENSTOCK_PYTHON", "python3");

  private @TempDir Path folder;

  /** Trains on these rows; answers with the report. */
  private JsonNode train(String rows, String... options) throws IOException {
    Path data = Files.writeString(folder.resolve("rows.csv"), rows);
    Path config =
        Files.writeString(
            folder.resolve("run.yaml"),
            "source: { file: { path: '%s' } }%n".formatted(data)
                + TestCsv.LEARNING
                + "batch: { size: 48, maxDelay: none }\nhttp: none\n"
                + "checkpoint: { directory: '%s', every: none }%n".formatted(checkpoints()));
    Path report = folder.resolve("report.json");
    List<String> all = new ArrayList<>(List.of("train", config.toString()));
    all.addAll(List.of("--report", report.toString()));
    all.addAll(List.of(options));
    Capture said = new Capture();
    assertThat(Penstock.run(new Wiring(), said.terminal(0), all.toArray(new String[0])))
        .as(said.err())
        .isEqualTo(ExitCode.OK);
    return JsonMapper.shared().readTree(Files.readString(report));
  }

  private Path checkpoints() {
    return folder.resolve("checkpoints");
  }

  private Path newest() {
    return CheckpointDirectory.files(checkpoints()).getLast();
  }

  @Test
  void shouldWriteCheckpointsByTheSpecification() throws Exception {
    JsonNode report = train(TestCsv.rows(1, 1000));

    SafetensorsFile file = SafetensorsFile.read(newest());

    assertThat(file.metadata())
        .containsEntry("format", "penstock")
        .containsEntry("formatVersion", "2")
        .containsEntry("number", "2")
        .containsEntry("version", report.get("version").asString());
    Map<String, String> shapes = new TreeMap<>();
    file.tensors().forEach((name, tensor) -> shapes.put(name, tensor.dtype() + tensor.shape()));
    assertThat(shapes)
        .containsEntry("model.layer0.weight", "F32[%d, %d]".formatted(INPUTS, HIDDEN))
        .containsEntry("model.layer0.bias", "F32[1, %d]".formatted(HIDDEN))
        .containsEntry("model.layer1.weight", "F32[%d, 1]".formatted(HIDDEN))
        .containsEntry("model.layer1.bias", "F32[1, 1]")
        .containsEntry("positions", "I64[4]")
        .containsEntry("sha256", "U8[32]");
    assertThat(sha256(weights(file))).isEqualTo(report.get("weightsSha256").asString());
    assertThat(tensor(file, "ledger.trained").data().getLong(0))
        .isEqualTo(report.get("records").asLong());
    assertThat(new String(tensor(file, "configuration").bytes(), UTF_8))
        .contains("mlp:", "seed: 42");
    assertThat(new String(tensor(file, "columns").bytes(), UTF_8))
        .isEqualTo("[\"x0\",\"x1\",\"x2\",\"flag\",\"city\",\"y\"]");
    for (Tensor tensor : file.tensors().values()) {
      assertThat(tensor.begin() % tensor.bytesEach()).as("alignment of %s", tensor).isZero();
    }
    requireDigestAtTheEnd(file);
  }

  private void requireDigestAtTheEnd(SafetensorsFile file) throws Exception {
    byte[] all = Files.readAllBytes(newest());
    assertThat(file.tensors().keySet()).endsWith("sha256");
    assertThat(HexFormat.of().formatHex(tensor(file, "sha256").bytes()))
        .isEqualTo(sha256(Arrays.copyOf(all, all.length - 32)));
  }

  /** Of every layer the weight, then the bias. */
  private static byte[] weights(SafetensorsFile file) {
    ByteBuffer all = ByteBuffer.allocate(1 << 16);
    for (int layer = 0; layer < 2; layer++) {
      all.put(tensor(file, "model.layer%d.weight".formatted(layer)).bytes());
      all.put(tensor(file, "model.layer%d.bias".formatted(layer)).bytes());
    }
    return Arrays.copyOf(all.array(), all.position());
  }

  private static Tensor tensor(SafetensorsFile file, String name) {
    Tensor tensor = file.tensors().get(name);
    if (tensor == null) {
      throw new AssertionError(name + " is not in " + file.tensors().keySet());
    }
    return tensor;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void shouldWriteCheckpointsThatPythonReads() throws Exception {
    requirePython("safetensors");
    train(TestCsv.rows(1, 1000));

    String read =
        python(
            """
            import hashlib, json, sys, safetensors
            with open(sys.argv[1], 'rb') as file:
                tensors = safetensors.deserialize(file.read())
            print(json.dumps({name: [t['dtype'], t['shape'], hashlib.sha256(bytes(t['data'])).hexdigest()]
                              for name, t in tensors}))
            """,
            newest());

    Map<String, String> expected = new TreeMap<>();
    for (Tensor tensor : SafetensorsFile.read(newest()).tensors().values()) {
      expected.put(
          tensor.name(), tensor.dtype() + " " + tensor.shape() + " " + sha256(tensor.bytes()));
    }
    Map<String, String> found = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : JsonMapper.shared().readTree(read).properties()) {
      List<Long> shape = new ArrayList<>();
      entry.getValue().get(1).forEach(dimension -> shape.add(dimension.asLong()));
      found.put(
          entry.getKey(),
          entry.getValue().get(0).asString()
              + " "
              + shape
              + " "
              + entry.getValue().get(2).asString());
    }
    assertThat(found).isEqualTo(expected);
  }

  /** As PyTorch would: outputs first, one type a tensor, and a tensor that is none of the model's. */
  @Test
  void shouldBeginWithWeightsThatPythonWrote() throws Exception {
    requirePython("safetensors.numpy");
    Path file = folder.resolve("python.safetensors");
    python(
        """
        import sys
        import numpy
        from safetensors.numpy import save_file
        def tensor(dtype, *shape):
            i = numpy.arange(numpy.prod(shape))
            return ((i % 13 - 6) / 4).astype(dtype).reshape(shape)
        save_file({'2.weight': tensor('float16', 1, 16),
                   '0.weight': tensor('float64', 16, 8),
                   '2.bias': tensor('float32', 1),
                   '1.num_batches_tracked': numpy.array(7),
                   '0.bias': tensor('float16', 16)},
                  sys.argv[1], {'format': 'pt', 'made by': 'Köln'})
        """,
        file);

    requireBegunWith(file);
  }

  @Test
  void shouldBeginWithWeightsThatWereWrittenByTheSpecification() throws Exception {
    Path file = folder.resolve("hand.safetensors");
    // In another order than their bytes', with spaces behind the header, and names that must be
    // told apart by number.
    String header =
        """
        {"3.weight":{"dtype":"BF16","shape":[1,16],"data_offsets":[1028,1060]},
        "__metadata__":{"made by":"K\\u00f6ln","format":"pt"},
        "0.bias":{"data_offsets":[1060,1092],"shape":[16],"dtype":"F16"},
        "3.bias":{"dtype":"F32","shape":[1],"data_offsets":[1024,1028]},
        "seen":{"dtype":"I64","shape":[],"data_offsets":[1092,1100]},
        "0.weight":{"dtype":"F64","shape":[16,8],"data_offsets":[0,1024]}}    \s""";
    ByteBuffer data = ByteBuffer.allocate(1100).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < INPUTS * HIDDEN; i++) {
      data.putDouble(value(i));
    }
    data.putFloat(value(0));
    for (int i = 0; i < HIDDEN; i++) {
      data.putShort((short) (Float.floatToRawIntBits(value(i)) >>> 16));
    }
    for (int i = 0; i < HIDDEN; i++) {
      data.putShort(Float.floatToFloat16(value(i)));
    }
    data.putLong(7);
    write(file, header, data.array());
    assertThat(SafetensorsFile.read(file).tensors()).as("so far by the specification").hasSize(5);

    requireBegunWith(file);
  }

  private static void write(Path file, String header, byte[] data) throws IOException {
    byte[] text = header.getBytes(UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(text.length).put(text).put(data).array());
  }

  /** Of the i-th number of a tensor as it is written; exact in every type. */
  private static float value(int i) {
    return (i % 13 - 6) / 4f;
  }

  /** That a run without rows, which learns nothing, ends with the weights of this file, outputs first there. */
  private void requireBegunWith(Path file) throws Exception {
    JsonNode report = train(TestCsv.HEADER, "--weights", file.toString());

    ByteBuffer expected = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int input = 0; input < INPUTS; input++) {
      for (int output = 0; output < HIDDEN; output++) {
        expected.putFloat(value(output * INPUTS + input));
      }
    }
    for (int i = 0; i < HIDDEN; i++) {
      expected.putFloat(value(i));
    }
    for (int i = 0; i < HIDDEN; i++) {
      expected.putFloat(value(i));
    }
    expected.putFloat(value(0));
    assertThat(report.get("weightsSha256").asString())
        .isEqualTo(sha256(Arrays.copyOf(expected.array(), expected.position())));
  }

  @Test
  void shouldRefuseInOneLineWhatCannotBeginTheModel() throws Exception {
    Path file = folder.resolve("other.safetensors");
    write(
        file,
        """
        {"0.weight":{"dtype":"F8_E4M3","shape":[16,8],"data_offsets":[0,128]}}""",
        new byte[128]);
    assertThat(refusal(file)).contains(file.toString(), "0.weight", "F8_E4M3");

    write(
        file,
        """
        {"0.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "0.bias":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        new byte[12]);
    assertThat(refusal(file)).contains(file.toString(), "0.bias");

    write(
        file,
        """
        {"0.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "0.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        new byte[8]);
    assertThat(refusal(file)).contains(file.toString(), "0.weight");
  }

  private String refusal(Path weights) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("refused.yaml"),
            "source: { tcp: { port: 0 } }\n" + TestCsv.LEARNING + "http: none\n");
    Capture said = new Capture();
    assertThat(
            Penstock.run(
                new Wiring(),
                said.terminal(0),
                "train",
                config.toString(),
                "--weights",
                weights.toString()))
        .as(said.err())
        .isEqualTo(ExitCode.USAGE);
    assertThat(said.err().lines()).hasSize(1);
    return said.err();
  }

  private static void requirePython(String module) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(PYTHON, "-c", "import " + module).redirectErrorStream(true).start();
      String said = process.inputReader().readAllAsString();
      Assumptions.assumeTrue(
          process.waitFor() == 0,
          () -> "%s cannot import %s (PENSTOCK_PYTHON?): %s".formatted(PYTHON, module, said));
    } catch (IOException e) {
      Assumptions.abort("there is no %s here: %s".formatted(PYTHON, e.getMessage()));
    }
  }

  private static String python(String script, Path argument) throws Exception {
    Process process =
        new ProcessBuilder(PYTHON, "-c", script, argument.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = process.inputReader(UTF_8).readAllAsString();
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
