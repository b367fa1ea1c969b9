package io.penstock.trainer;

import io.penstock.config.LossConfig;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.OperatorStage;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.State;
import io.penstock.trainer.cpu.ForwardPass;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;

/**
 * Answers for rows by fitted operators and weights that are of one and the same cut, on this machine's processor, whatever device
 * trains them. Nothing is learnt. Not thread-safe: whoever shares one holds a lock from {@link #predict} until the answers are read.
 */
public final class Predictor implements AutoCloseable {
  private final FeaturePlan features;
  private final SlotLayout layout;
  private final ForwardPass forward;
  private final LossConfig loss;
  private final int classes;
  private final int outputs;
  private final float[] values;
  private final int[] best;

  /**
   * A predictor that knows nothing before {@link #load}.
   *
   * @param features whose state is the predictor's from now on
   * @param program of the model, as it is trained
   */
  public Predictor(FeaturePlan features, ModelSpec model, Program program) {
    this.features = features;
    layout = program.layout();
    loss = model.loss();
    classes = model.classes();
    outputs = model.layers().getLast().outputs();
    values = new float[Math.max(1, classes) * layout.capacityRows()];
    best = new int[layout.capacityRows()];
    forward = new ForwardPass(program);
  }

  /** Takes over operators and weights of a cut, by copies: the cut may be released afterwards. */
  public void load(State cut) {
    features.restore(cut.scope(OperatorStage.SCOPE));
    forward.load(cut);
  }

  /** The most rows of one call. */
  public int capacityRows() {
    return layout.capacityRows();
  }

  /** Classes of the label; 0 for a number. */
  public int classes() {
    return classes;
  }

  /**
   * Computes the answers for all rows of a block.
   *
   * @param rows as they are decoded, at most {@link #capacityRows}; rewritten by the operators
   */
  public void predict(Block rows) {
    features.apply(rows);
    features.write(rows, 0, rows.rows(), forward.slot(), layout, 0);
    forward.run(rows.rows());
    for (int row = 0; row < rows.rows(); row++) {
      switch (loss) {
        case LossConfig.Softmax _ -> softmax(row);
        case LossConfig.Sigmoid _ -> sigmoid(row);
        default -> values[row] = forward.output(0, row);
      }
    }
  }

  /** p = e^z / Σ e^z, in double precision. */
  private void softmax(int row) {
    int winner = 0;
    for (int c = 1; c < outputs; c++) {
      winner = forward.output(winner, row) < forward.output(c, row) ? c : winner;
    }
    double largest = forward.output(winner, row);
    double sum = 0;
    for (int c = 0; c < outputs; c++) {
      sum += StrictMath.exp(forward.output(c, row) - largest);
    }
    for (int c = 0; c < outputs; c++) {
      values[row * classes + c] = (float) (StrictMath.exp(forward.output(c, row) - largest) / sum);
    }
    best[row] = winner;
  }

  /** p of class 1 = 1 / (1 + e^-z). */
  private void sigmoid(int row) {
    double z = forward.output(0, row);
    values[row * classes] = (float) (1 / (1 + StrictMath.exp(z)));
    values[row * classes + 1] = (float) (1 / (1 + StrictMath.exp(-z)));
    best[row] = z > 0 ? 1 : 0;
  }

  /** The predicted value of a row, where the label is a number. */
  public float value(int row) {
    return values[row];
  }

  /** The index of the class that a row most probably is of; of equal ones the first. */
  public int best(int row) {
    return best[row];
  }

  /** The probability that a row is of a class. */
  public float probability(int row, int index) {
    return values[row * classes + index];
  }

  @Override
  public void close() {
    forward.close();
  }
}
