package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.TrainingState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Row-by-row logistic regression on the literature's streams; expected: {@code data/verify/online_logistic.py}. */
class OnlineLogisticTest {
  private static final String PHISHING = "data/phishing/phishing.csv.gz";
  private static final String ELEC2 = "data/elec2/electricity.csv.gz";

  @Test
  void shouldScoreAsTheLiteratureWithSgdOnPhishing() throws IOException {
    check(PHISHING, "1", new OptimizerConfig.Sgd(0.1, 0), 0.8984, 0.2626);
  }

  @Test
  void shouldScoreAsTheLiteratureWithMomentumOnPhishing() throws IOException {
    check(PHISHING, "1", new OptimizerConfig.Momentum(0.1, 0.9, 0), 0.8528, 0.5860);
  }

  @Test
  void shouldScoreAsTheLiteratureWithAdamOnPhishing() throws IOException {
    check(PHISHING, "1", new OptimizerConfig.Adam(0.1, 0.9, 0.999, 1e-8, 0), 0.8784, 0.3084);
  }

  @Test
  void shouldScoreAsTheLiteratureWithRmsPropOnElec2() throws IOException {
    check(ELEC2, "UP", new OptimizerConfig.RmsProp(0.1, 0.99, 1e-8, 0), 0.9179, 0.2611);
  }

  private static void check(
      String file, String positive, OptimizerConfig optimizer, double accuracy, double logLoss)
      throws IOException {
    Path path = Path.of(System.getProperty("penstock.shared", "/nowhere"), file);
    assumeTrue(Files.exists(path), "no " + path);
    List<double[]> rows = read(path, positive);
    int features = rows.getFirst().length - 1;
    ModelSpec spec =
        ModelSpec.of(
            new ModelConfig.Logistic(ModelConfig.Initial.ZERO),
            new LossConfig.Auto(),
            optimizer,
            new LabelConfig("y", LabelType.CLASS, 2, List.of()),
            features);
    Program program = Lowering.lower(spec, SlotLayout.of(1, features), 1000);
    CpuDevice device = new CpuDevice();
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, InitialParameters.of(spec, 1))) {
      Slot slot = SlotFiller.slot(program.layout(), memory);
      StepResult result = new StepResult();
      double[] mean = new double[features];
      double[] squares = new double[features];
      for (int n = 1; n <= rows.size(); n++) {
        float[] x = standardized(rows.get(n - 1), mean, squares, n);
        Rows minibatch =
            Rows.of(new float[][] {x}, new float[] {(float) rows.get(n - 1)[features]});
        SlotFiller.fill(slot, n, minibatch, n);
        assertThat(session.trySubmit(slot) && session.poll(result)).isTrue();
      }
      TrainingState state = new TrainingState(program.metrics());
      session.read(state);
      Metrics metrics = state.evaluation().cumulative();
      assertThat(metrics.accuracy()).isCloseTo(accuracy, within(0.001));
      assertThat(metrics.logLoss()).isCloseTo(logLoss, within(0.001));
    }
  }

  /** By the mean and population deviation of all rows so far, this one included. */
  private static float[] standardized(double[] row, double[] mean, double[] squares, int n) {
    float[] x = new float[mean.length];
    for (int i = 0; i < mean.length; i++) {
      double delta = row[i] - mean[i];
      mean[i] += delta / n;
      squares[i] += delta * (row[i] - mean[i]);
      double deviation = Math.sqrt(squares[i] / n);
      x[i] = deviation > 0 ? (float) ((row[i] - mean[i]) / deviation) : 0f;
    }
    return x;
  }

  /** All columns but the last are features; the last is 1 where it is {@code positive}. */
  private static List<double[]> read(Path path, String positive) throws IOException {
    List<double[]> rows = new ArrayList<>();
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(path)), StandardCharsets.UTF_8))) {
      in.readLine();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] fields = line.split(",", -1);
        double[] row = new double[fields.length];
        for (int i = 0; i + 1 < fields.length; i++) {
          row[i] = Double.parseDouble(fields[i]);
        }
        row[fields.length - 1] = fields[fields.length - 1].equals(positive) ? 1 : 0;
        rows.add(row);
      }
    }
    return rows;
  }
}
