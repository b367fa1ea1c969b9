package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

class SummaryTest {

  @Test
  void shouldTellAPersonWhatCameOfTheRun() {
    MetricHistory history = new MetricHistory(100);
    double[] accuracy = {0.8, 0.9, 0.95, 0.6, 0.85, 0.93};
    for (int i = 0; i < accuracy.length; i++) {
      history.observe(100L * (i + 1), accuracy[i]);
    }
    try (DeadLetters letters = DeadLetters.countedOnly()) {
      letters.reject(
          new PartitionCursor(0, 0, 0, 0), 1, Reason.COLUMN_COUNT, "", new byte[0], 0, 0);

      assertThat(
              Summary.of(
                  FakeRun.snapshot(Phase.ENDED, 25_600, 1, 77, null),
                  letters,
                  history,
                  List.of("no", "yes")))
          .isEqualTo(
              """
              Trained on 25,600 rows from tcp://127.0.0.1:9000 in 10.0 s: 2.56 k rows/s, 100 minibatches on cpu

              test, then train           all rows       window
              accuracy                     0.8721       0.9312
                no-change                  0.5500       0.5600
                majority class             0.6712       0.6600
              kappa                        0.7000       0.7000
              kappa-T                      0.6500       0.6500
              precision                    0.8000       0.9000
                no-change                  0.3000       0.3200
                majority class             0.0000       0.0000
              recall                       0.7500       0.8500
                no-change                  0.3100       0.3300
                majority class             0.0000       0.0000
              F1                           0.7742       0.8743
                no-change                  0.3049       0.3249
                majority class             0.0000       0.0000
              AUC                          0.9100       0.9700
                off by at most             0.0004       0.0004
                equal scores               0.5000       0.5000
              PR AUC                       0.8200       0.9300
                off by at most             0.0031       0.0031
                equal scores               0.3288       0.3400
              calibration error            0.0150       0.0150
              log loss                     0.3100       0.2000
                shares of classes          0.6300       0.6400

              true class, said to be         no        yes
              no                         15,000      2,000
              yes                         1,274      7,326

              accuracy in the window over the run: 0.9500 at row 300, 0.6000 at row 400, 0.9312 at the end
              ▅▇█▁▆█

              step         median 90 µs, 99% within 140 µs
              freshness    median 3.5 ms, 99% within 12 ms
              rejected     1 row (columnCount 1), not kept
              not trained  77 rows that had come when the run ended
              limit        device, busy 90% of the time. Without this limit the run would be at most 3.0 times as fast; then ingest is the limit
              weights      sha256 abc123""");
    }
  }

  @Test
  void shouldSayLittleWhereNothingWasTrained() {
    try (DeadLetters letters = DeadLetters.countedOnly()) {
      assertThat(
              Summary.of(
                  FakeRun.snapshot(Phase.ENDED, 0, 0), letters, new MetricHistory(1), List.of()))
          .startsWith("Trained on 0 rows from tcp://127.0.0.1:9000")
          .doesNotContain("accuracy", "limit");
    }
  }
}
