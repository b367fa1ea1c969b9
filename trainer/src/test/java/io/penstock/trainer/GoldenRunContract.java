package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds training against runs that PyTorch computed in double precision.
 *
 * <p>Tolerance. A value made of n rounded float operations is off by a small multiple of √n ε of the size of what was summed (n
 * ε at worst), ε = 2⁻²³. Depths here are 40 at most: 16 ε covers losses and first gradients, scaled by the largest value of the
 * tensor, since a gradient's small entries are differences of terms of that size. Final parameters have gone through 20 steps,
 * each adding the error of its gradient to the ones before, and adaptive optimizers divide by the gradient's own size, so that
 * errors relative to one gradient become errors relative to the rate: 20 · 16 ε of the largest parameter, at least 1.
 */
public abstract class GoldenRunContract {
  private static final double EPSILON = Math.ulp(1f);
  private static final double ONE_STEP = 16 * EPSILON;

  /** The device under test. */
  protected abstract Device device();

  static Stream<Path> files() throws IOException, URISyntaxException {
    String set = System.getProperty("penstock.golden");
    Path folder =
        set != null
            ? Path.of(set)
            : Path.of(GoldenRunContract.class.getResource("/golden").toURI());
    try (Stream<Path> list = Files.list(folder)) {
      List<Path> files = list.filter(f -> f.toString().endsWith(".json")).sorted().toList();
      assertThat(files).as("cases in " + folder).isNotEmpty();
      return files.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldComputeWhatDoublePrecisionPyTorchComputes(Path file) {
    GoldenRun run = GoldenRun.read(file);
    Device device = device();
    SlotLayout layout = SlotLayout.of(run.minibatches().getFirst().count(), run.spec().features());
    Program program = Lowering.lower(run.spec(), layout, 1000);
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, run.initialParameters(program.parameters()))) {
      Slot slot = SlotFiller.slot(layout, memory);
      StepResult result = new StepResult();
      for (int step = 0; step < run.minibatches().size(); step++) {
        Rows rows = run.minibatches().get(step);
        SlotFiller.fill(slot, step, rows, 0);
        assertThat(session.trySubmit(slot)).isTrue();
        while (!session.poll(result)) {
          Thread.onSpinWait();
        }
        double loss = run.losses()[step];
        assertThat(Math.abs(result.loss() - loss))
            .as("loss of step %d: %s, expected %s", step, result.loss(), loss)
            .isLessThanOrEqualTo((step + 1) * ONE_STEP * Math.max(1, Math.abs(loss)));
        if (step == 0) {
          float[] gradients = new float[program.size(Region.GRADIENTS)];
          session.read(Region.GRADIENTS, gradients);
          check("gradient", program, gradients, run.firstGradients(), ONE_STEP, 0);
        }
      }
      double all = run.minibatches().size() * ONE_STEP;
      check("parameter", program, session.parameters(), run.last(), all, 1);
    }
  }

  private static void check(
      String what,
      Program program,
      float[] actual,
      List<double[]> expected,
      double tolerance,
      double leastScale) {
    for (int t = 0; t < expected.size(); t++) {
      Tensor tensor = program.parameters().tensors().get(t);
      double[] values = expected.get(t);
      double scale = leastScale;
      for (double value : values) {
        scale = Math.max(scale, Math.abs(value));
      }
      for (int i = 0; i < values.length; i++) {
        double off = Math.abs(actual[tensor.offset() + i] - values[i]);
        assertThat(off)
            .as("%s %s[%d], expected %s", what, tensor.name(), i, values[i])
            .isLessThanOrEqualTo(tolerance * scale);
      }
    }
  }
}
