package io.penstock.trainer.model;

import io.penstock.config.OptimizerConfig;
import org.jspecify.annotations.Nullable;

/**
 * One kernel with its operands. A device binds each to code of its own when a program is opened. "Row" means a row of the
 * minibatch here; only the valid ones count, and what stands behind them never reaches a result.
 */
public sealed interface KernelCall {

  /**
   * Sets the features of rows that weigh nothing to 0: 0 · NaN is NaN, so what stands in a row that is to be left out must not
   * meet the zero of its gradient.
   */
  record SelectRows(Matrix features, Matrix weights) implements KernelCall {}

  /**
   * c = activation(op(a) op(b) + bias), op being the transpose or nothing. Three forms occur, a layer's products: forward, WᵀX,
   * and back to its inputs, W dZ, where b and c have a value for each row; and the gradient of its weights, X dZᵀ, where a and b
   * have.
   *
   * @param bias one value for each line of c
   * @param input where to keep what the activation was applied to, of the form of c; only where the derivative needs it
   */
  record Gemm(
      Matrix a,
      boolean transposeA,
      Matrix b,
      boolean transposeB,
      Matrix c,
      @Nullable Matrix bias,
      Activation activation,
      @Nullable Matrix input)
      implements KernelCall {
    /** Refuses forms that no device need have. */
    public Gemm {
      boolean sumsOverRows =
          a.perRow() && b.perRow() && !c.perRow() && !transposeA && transposeB && bias == null;
      boolean keepsRows = !a.perRow() && b.perRow() && c.perRow() && !transposeB;
      if (!keepsRows && !(sumsOverRows && activation == Activation.IDENTITY)) {
        throw new IllegalArgumentException(
            "gemm: it must be WᵀX, W dZ or X dZᵀ, not of %s%s and %s%s to %s, activation %s"
                .formatted(a, transposeA ? "ᵀ" : "", b, transposeB ? "ᵀ" : "", c, activation));
      }
      if (input != null && !activation.differentiatesInput()) {
        throw new IllegalArgumentException(
            "gemm: %s has its derivative from its output; its input is not kept"
                .formatted(activation));
      }
    }
  }

  /**
   * delta = delta · activation'; the bias gradient is the sum of each line.
   *
   * @param operand what the derivative is computed from: the layer's output, for GELU and SiLU its input; none for the identity
   */
  record ActivationGradient(
      Activation activation, Matrix delta, @Nullable Matrix operand, Matrix biasGradient)
      implements KernelCall {}

  /**
   * What all losses read and write. The gradient of the mean loss, weighted by the rows' weights, takes the outputs' place; it is
   * 0 for a row that weighs nothing, whatever stands there.
   *
   * @param outputs the model's outputs, then their gradient
   * @param losses each row's loss, unweighted
   * @param predictions each row's prediction: the class, or the value
   * @param scores how sure the model is, where the label is one of classes: of two, ln(p / (1 - p)) of class 1; of more, the
   *     probability of the prediction
   */
  record LossRows(
      Matrix outputs,
      Matrix labels,
      Matrix weights,
      Matrix losses,
      Matrix predictions,
      Matrix scores) {}

  /** A loss with its gradient, from the model's outputs. */
  sealed interface Loss extends KernelCall {
    LossRows rows();
  }

  /**
   * Cross entropy of a softmax over the outputs; labels are class indices, of equal outputs the first is the prediction. Of two
   * outputs the score is how far the second lies above the first.
   */
  record SoftmaxCrossEntropy(LossRows rows) implements Loss {}

  /** Cross entropy of the sigmoid of the one output; labels are 0 and 1. */
  record SigmoidCrossEntropy(LossRows rows) implements Loss {}

  /** (z - y)² / 2. */
  record SquaredError(LossRows rows) implements Loss {}

  /** (z - y)² / 2 up to |z - y| = delta, linear from there (Huber, 1964). */
  record Huber(LossRows rows, float delta) implements Loss {}

  /** max(tau (y - z), (tau - 1) (y - z)) (Koenker and Bassett, 1978); at z = y the slope is ½ - tau, as PyTorch's. */
  record Quantile(LossRows rows, float tau) implements Loss {}

  /** Sums up the loss and, where it is finite, adds the rows to the prequential metrics of the {@link TrainingState}. */
  record Evaluate(LossRows rows) implements KernelCall {}

  /**
   * Judges the step, which updates branch on: whether loss and gradient are finite, and where they are, whether the loss is a
   * spike, by {@link LossSpikes}, which counts it. Also finds the factor that brings the gradient's global norm within its bound.
   *
   * @param clipNorm that bound; 0: none
   * @param lossSpike how many times the spread of losses above their mean a loss may lie; 0: wherever it likes
   */
  record CheckGradient(Matrix gradient, float clipNorm, double lossSpike) implements KernelCall {}

  /**
   * One step of the optimizer on all dense parameters, by the rules of PyTorch; nothing where the step was judged not to be applied.
   *
   * @param state what the optimizer remembers: {@link Lowering#stateTensors} buffers of the parameters' size
   */
  record Update(OptimizerConfig rule, Matrix parameters, Matrix gradient, Matrix state)
      implements KernelCall {}
}
