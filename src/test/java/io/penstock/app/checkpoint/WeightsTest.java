package io.penstock.app.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files as other programs write them, made here byte by byte. */
class WeightsTest {
  private static final ParameterLayout LAYOUT =
      new ParameterLayout(
          List.of(
              new Tensor("layer0.weight", 0, 2, 3),
              new Tensor("layer0.bias", 16, 1, 3),
              new Tensor("layer1.weight", 32, 3, 1),
              new Tensor("layer1.bias", 48, 1, 1)),
          64);

  private @TempDir Path folder;

  @Test
  void shouldReadWhatPyTorchWrites() throws IOException {
    // nn.Sequential(Linear(2, 3), ReLU(), Linear(3, 1)): outputs come first, and "10" behind "2"
    Path file =
        file(
            """
            {"__metadata__":{"format":"pt"},
             "0.bias":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
             "0.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[12,36]},
             "10.bias":{"dtype":"F32","shape":[1],"data_offsets":[36,40]},
             "10.weight":{"dtype":"F32","shape":[1,3],"data_offsets":[40,52]}}""",
            floats(7, 8, 9, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13));

    requireRead(Weights.read(file, LAYOUT));
  }

  @Test
  void shouldReadBrainFloatsAndHalves() throws IOException {
    ByteBuffer data = ByteBuffer.allocate(26).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : new float[] {1, 3, 5, 2, 4, 6}) {
      data.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    for (float value : new float[] {7, 8, 9, 11, 12, 13, 10}) {
      data.putShort(Float.floatToFloat16(value));
    }
    Path file =
        file(
            """
            {"__metadata__":{"format":"np"},
             "layer0.weight":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},
             "layer0.bias":{"dtype":"F16","shape":[3],"data_offsets":[12,18]},
             "layer1.weight":{"dtype":"F16","shape":[3,1],"data_offsets":[18,24]},
             "layer1.bias":{"dtype":"F16","shape":[1],"data_offsets":[24,26]}}""",
            data.array());

    requireRead(Weights.read(file, LAYOUT));
  }

  private static void requireRead(float[] values) {
    assertThat(values).hasSize(64);
    assertThat(values).startsWith(1, 3, 5, 2, 4, 6, 0);
    assertThat(values).containsSubsequence(0, 7, 8, 9, 0, 11, 12, 13, 0, 10, 0);
    assertThat(values[16]).isEqualTo(7);
    assertThat(values[32]).isEqualTo(11);
    assertThat(values[48]).isEqualTo(10);
  }

  @Test
  void shouldNameTensorsThatDoNotFit() throws IOException {
    Path other =
        file(
            """
            {"fc.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}}""",
            floats(1, 2, 3, 4, 5, 6));
    assertThatThrownBy(() -> Weights.read(other, LAYOUT))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "has the tensors fc.weight [3, 2]; the model needs layer0.weight [2, 3]");

    Path turned =
        file(
            """
            {"0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
             "0.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]},
             "2.weight":{"dtype":"F32","shape":[3,1],"data_offsets":[36,48]},
             "2.bias":{"dtype":"F32","shape":[1],"data_offsets":[48,52]}}""",
            floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
    assertThatThrownBy(() -> Weights.read(turned, LAYOUT))
        .hasMessageContaining("tensor '0.weight' is [2, 3]; the model needs layer0.weight [2, 3]")
        .hasMessageContaining("outputs first");
  }

  @Test
  void shouldRefuseFilesThatAreNoneOrDamaged() throws IOException {
    String header =
        """
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}}""";
    for (Path file :
        List.of(
            Files.write(folder.resolve("short"), new byte[3]),
            Files.write(folder.resolve("text"), "layer0.weight,1,2,3\n".getBytes(UTF_8)),
            file("{}", new byte[1]),
            file("{", new byte[0]),
            file("[1]", new byte[0]),
            file(header.formatted(0, 4), new byte[4]),
            file(header.formatted(0, 8), new byte[4]),
            file(header.formatted(0, 8), new byte[9]),
            file(header.formatted(4, 12), new byte[12]),
            file(header.formatted(-8, 0), new byte[0]),
            file(header.replace("[2]", "[-2]").formatted(0, 8), new byte[8]),
            file(
                header.replace("[2]", "[99999999999,99999999999]").formatted(0, 8), new byte[8]))) {
      assertThatThrownBy(() -> Weights.read(file, LAYOUT))
          .as(Files.readString(file, ISO_8859_1))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(file.toString());
    }
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> Weights.read(missing, LAYOUT))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("missing");
  }

  private Path file(String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(json.length).put(json).put(data);
    return Files.write(Files.createTempFile(folder, "weights", ".safetensors"), file.array());
  }

  private static byte[] floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }
}
