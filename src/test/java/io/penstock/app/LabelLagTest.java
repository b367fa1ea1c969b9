package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A row knows the labels of the rows before it, and not its own. */
class LabelLagTest {
  private static final int ROWS = 4_000;

  @TempDir Path folder;

  private double accuracy(IntUnaryOperator labels, int lag, int batch, int parallelism)
      throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    StringBuilder csv = new StringBuilder("x,y\n");
    for (int i = 0; i < ROWS; i++) {
      csv.append(random.nextInt(100)).append(',').append(labels.applyAsInt(i)).append('\n');
    }
    Path file = folder.resolve("rows.csv");
    Files.writeString(file, csv);
    RunSnapshot end =
        Runs.train(
            """
            source: { file: { path: %s, format: { csv: { header: true } } } }
            schema: { label: { field: y, classes: 2 }, fields: { x: number } }
            features:
              - lag: { fields: y, by: %d }
              - standardize: { fields: [x, y~%d] }
            batch: { size: %d, maxDelay: none }
            model: { logistic: { initial: zero } }
            optimizer: { sgd: { learningRate: 0.5 } }
            pipeline: { parallelism: %d }
            http: none
            """
                .formatted(file, lag, lag, batch, parallelism));
    assertThat(end.rows().trained()).isEqualTo(ROWS);
    return end.cumulative().model().accuracy();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "1, 64, 2", "2, 16, 3"})
  void shouldKnowNothingOfLabelsThatDoNotDependOnThoseBefore(int lag, int batch, int parallelism)
      throws IOException {
    SplittableRandom coin = new SplittableRandom(3);

    // The deviation of 4,000 throws is 0.008.
    assertThat(accuracy(_ -> coin.nextInt(2), lag, batch, parallelism))
        .isCloseTo(0.5, within(0.035));
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "1, 64, 2", "2, 16, 3", "3, 1, 1"})
  void shouldKnowLabelsThatFollowFromOneBefore(int lag, int batch, int parallelism)
      throws IOException {
    SplittableRandom coin = new SplittableRandom(3);
    int[] labels = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      labels[i] = i < lag || coin.nextInt(50) == 0 ? coin.nextInt(2) : 1 - labels[i - lag];
    }

    assertThat(accuracy(i -> labels[i], lag, batch, parallelism)).isGreaterThan(0.96);
  }
}
