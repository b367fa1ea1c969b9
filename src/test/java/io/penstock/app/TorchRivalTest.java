package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.GpuGrid.Point;
import io.penstock.config.Precision;
import io.penstock.trainer.device.StepShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The conversation with PyTorch's script, held by a script of the shell's. */
class TorchRivalTest {
  private static final Point POINT =
      new Point(new StepShape(List.of(54, 64, 7), 32), Precision.BF16);

  @TempDir Path folder;

  private Path script(String text) throws IOException {
    return Files.writeString(folder.resolve("rival.sh"), text);
  }

  @Test
  void shouldAskForAStepAndTakeItsTime() throws IOException {
    Path asked = folder.resolve("asked");
    Path script =
        script(
            """
            echo '{"peer": "torch 9", "device": "X"}'
            read -r line
            echo "$line" >%s
            echo '{"stepMicros": 12.5}'
            read -r line
            echo '{"error": "no room"}'
            """
                .formatted(asked));
    try (TorchRival rival = TorchRival.start("bash", script)) {
      assertThat(rival.peer()).isEqualTo("torch 9");
      assertThat(rival.device()).isEqualTo("X");
      assertThat(rival.stepMicros(POINT, 0.25)).isEqualTo(12.5);
      assertThat(asked)
          .hasContent(
              "{\"dims\": [54, 64, 7], \"batch\": 32, \"precision\": \"bf16\", \"seconds\": 0.250}");
      assertThatThrownBy(() -> rival.stepMicros(POINT, 0.25)).hasMessage("no room");
    }
  }

  @Test
  void shouldSayWhyThereIsNone() throws IOException {
    Path noGpu = script("echo '{\"error\": \"torch 9 finds no CUDA GPU\"}'");
    assertThatThrownBy(() -> TorchRival.start("bash", noGpu))
        .hasMessage("torch 9 finds no CUDA GPU");
    Path ended = script("exit 1");
    assertThatThrownBy(() -> TorchRival.start("bash", ended)).hasMessageContaining("it ended");
    assertThatThrownBy(() -> TorchRival.start("no-such-python", ended))
        .isInstanceOf(IOException.class);
  }
}
