package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.LateDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whole runs on a device that finishes steps late, on a thread of its own, and overwrites each slot with NaN as it gives it
 * back: a slot freed, refilled or read too early would show in the weights.
 */
class LateDeviceTest {

  @ParameterizedTest
  @CsvSource({"1, 2", "2, 4", "3, 4", "7, 8", "7, 16"})
  void shouldTrainTheSameWeightsThoughStepsEndLate(int mostLate, int slots) {
    Config config =
        Config.parse(
            """
            source: { generator: { stream: agrawal, records: 20_000, seed: 5, noise: 5% } }
            features: [ standardize: { fields: number } ]
            batch: { size: 48, maxDelay: none }
            model: { mlp: { hidden: [16] } }
            optimizer: { adam: { learningRate: 0.003 } }
            http: none
            """,
            "pipeline.slots=" + slots);

    RunSnapshot plain = train(config, new CpuDevice());
    RunSnapshot late = train(config, new LateDevice(new CpuDevice(), mostLate, mostLate));

    assertThat(plain.rows().trained()).isEqualTo(20_000);
    assertThat(late.outcome()).isEqualTo(plain.outcome());
    assertThat(late.cumulative()).isEqualTo(plain.cumulative());
    assertThat(late.batches()).isEqualTo(plain.batches());
  }

  private static RunSnapshot train(Config config, Device device) {
    RunOptions options = new RunOptions(0, Beginning.FRESH, new Rejected());
    try (TrainingRun run = new TrainingRun(config, options, device, null)) {
      run.start();
      return Runs.end(run);
    }
  }
}
