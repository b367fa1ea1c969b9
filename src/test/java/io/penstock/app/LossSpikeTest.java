package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs over files in which some rows are well formed and wrong. */
class LossSpikeTest {
  private static final int BATCH = 32;
  private static final int ROWS = 100 * BATCH;

  private @TempDir Path folder;

  private RunSnapshot train(String rows, String errors) throws IOException {
    Path data = Files.writeString(folder.resolve("data.csv"), "x,y\n" + rows);
    return Runs.train(
        """
        source: { file: { path: '%s' } }
        schema: { label: { field: y, type: number }, fields: { x: number } }
        model: { linear: {} }
        optimizer: { adam: { learningRate: 0.01 } }
        batch: { size: %d, maxDelay: none }
        errors: { %s }
        http: none
        """
            .formatted(data, BATCH, errors));
  }

  /** About y = 2x. */
  private static String rows(int count, double labelScale, SplittableRandom random) {
    StringBuilder rows = new StringBuilder();
    for (int row = 0; row < count; row++) {
      double x = random.nextGaussian();
      rows.append((float) x)
          .append(',')
          .append((float) (labelScale * (2 * x + 0.5 * random.nextGaussian())))
          .append('\n');
    }
    return rows.toString();
  }

  @Test
  void shouldEndWithTheWeightsOfARunWithoutTheWrongRows() throws IOException {
    SplittableRandom random = new SplittableRandom(3);
    String before = rows(ROWS, 1, random);
    String wrong = rows(BATCH, 1000, random);
    String after = rows(ROWS, 1, random);

    RunSnapshot without = train(before + after, "lossSpike: none");
    RunSnapshot run = train(before + wrong + after, "lossSpike: 8");
    RunSnapshot trusting = train(before + wrong + after, "lossSpike: none");

    assertThat(run.rows().skipped()).isEqualTo(BATCH);
    assertThat(run.rows().trained()).isEqualTo(2 * ROWS);
    assertThat(run.outcome().weightsSha256()).isEqualTo(without.outcome().weightsSha256());
    assertThat(trusting.outcome().weightsSha256()).isNotEqualTo(without.outcome().weightsSha256());
  }
}
