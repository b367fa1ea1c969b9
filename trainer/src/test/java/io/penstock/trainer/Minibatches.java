package io.penstock.trainer;

import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.trainer.model.ModelSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Random minibatches for a model. */
public final class Minibatches {
  private Minibatches() {}

  /** As many minibatches of {@code rows} rows each, some weights being 0 where {@code weighted}. */
  public static List<Rows> random(
      ModelSpec spec, int count, int rows, boolean weighted, SplittableRandom random) {
    List<Rows> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(random(spec, rows, weighted, random));
    }
    return list;
  }

  /** One minibatch. */
  public static Rows random(ModelSpec spec, int rows, boolean weighted, SplittableRandom random) {
    float[][] features = new float[rows][spec.features()];
    float[] labels = new float[rows];
    float[] weights = new float[rows];
    for (int row = 0; row < rows; row++) {
      for (int feature = 0; feature < spec.features(); feature++) {
        features[row][feature] = (float) random.nextGaussian();
      }
      labels[row] =
          spec.classes() == 0 ? (float) random.nextGaussian() : random.nextInt(spec.classes());
      weights[row] = !weighted ? 1f : random.nextInt(4) == 0 ? 0f : (float) random.nextDouble(2);
    }
    weights[0] = 1;
    return new Rows(features, labels, weights);
  }
}
