package io.penstock.trainer.nd4j;

import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;

/** Losses, their gradients and predictions. A row's gradient is weighted by its share of the weights, 0 for what is no row. */
final class Losses {
  private final Calls calls;
  private final Operands operands;
  private final Buffers buffers;
  private final Line shares;
  private final Line kept;

  /**
   * @param shares weight / Σ weights of each lane
   * @param kept 1 in the lanes of rows that weigh something, else 0
   */
  Losses(Calls calls, Operands operands, Buffers buffers, Line shares, Line kept) {
    this.calls = calls;
    this.operands = operands;
    this.buffers = buffers;
    this.shares = shares;
    this.kept = kept;
  }

  void bind(KernelCall.Loss call) {
    KernelCall.LossRows rows = call.rows();
    Array z = operands.flat(rows.outputs());
    Array y = operands.flat(rows.labels());
    Array losses = operands.flat(rows.losses());
    Array predictions = operands.flat(rows.predictions());
    Array scores = operands.flat(rows.scores());
    switch (call) {
      case KernelCall.SoftmaxCrossEntropy c -> softmax(rows, losses, predictions, scores);
      case KernelCall.SigmoidCrossEntropy c -> sigmoid(rows, z, y, losses, predictions, scores);
      case KernelCall.SquaredError c -> {
        error(z, y, predictions);
        calls.multiply(z, z, losses);
        calls.multiply(losses, operands.constant(0.5), losses);
      }
      case KernelCall.Huber c -> huber(c, z, y, losses, predictions);
      case KernelCall.Quantile c -> quantile(c, z, y, losses, predictions);
    }
    if (!(call instanceof KernelCall.SoftmaxCrossEntropy)) {
      calls.multiply(z, shares.vector(), z);
    }
    calls.where(
        step -> step.selective,
        () -> {
          Array all = operands.lines(rows.outputs());
          calls.select(all, kept.matrix(), all);
        });
  }

  /** z = z - y, predictions = z. */
  private void error(Array z, Array y, Array predictions) {
    calls.multiply(z, operands.constant(1), predictions);
    calls.subtract(z, y, z);
  }

  /** With e to the power of what each output is below the largest: ln Σe - own; gradient p - 1 of the true class, p of others. */
  private void softmax(KernelCall.LossRows rows, Array losses, Array predictions, Array scores) {
    Matrix outputs = rows.outputs();
    Line largest = Line.in(buffers);
    Line sums = Line.in(buffers);
    Array winners = buffers.indices().vector(0, buffers.lanes());
    Array z = operands.lines(outputs);
    Array zs = operands.flat(outputs);
    Array truth = operands.workLines(0, outputs);
    Array truths = operands.workFlat(0, outputs);
    Array own = operands.workLines(1, outputs);
    calls.argmaxLines(z, winners);
    calls.toFloat(winners, predictions);
    if (outputs.rows() == 2) {
      calls.subtract(operands.line(outputs, 1), operands.line(outputs, 0), scores);
    }
    calls.maxLines(z, largest.vector());
    calls.subtract(z, largest.matrix(), z);
    calls.oneHot(operands.flat(rows.labels()), outputs.rows(), truth);
    calls.select(zs, truths, operands.workFlat(1, outputs));
    calls.sumLines(own, largest.vector());
    calls.strict(Calls.STRICT_EXP, zs, zs);
    calls.sumLines(z, sums.vector());
    if (outputs.rows() > 2) {
      calls.divide(operands.constant(1), sums.vector(), scores);
    }
    calls.strict(Calls.STRICT_LOG, sums.vector(), losses);
    calls.subtract(losses, largest.vector(), losses);
    calls.divide(shares.vector(), sums.vector(), sums.vector());
    calls.multiply(z, sums.matrix(), z);
    calls.multiply(truth, shares.matrix(), truth);
    calls.subtract(zs, truths, zs);
  }

  /** max(z, 0) - z y + ln(1 + e^-|z|); slope sigmoid(z) - y. */
  private void sigmoid(
      KernelCall.LossRows rows, Array z, Array y, Array losses, Array predictions, Array scores) {
    Array hinge = operands.workFlat(0, rows.outputs());
    Array product = operands.workFlat(1, rows.outputs());
    calls.step(z, operands.constant(0), predictions);
    calls.multiply(z, operands.constant(1), scores);
    calls.same(Calls.SAME_ABS, z, losses);
    calls.same(Calls.SAME_NEGATIVE, losses, losses);
    calls.strict(Calls.STRICT_EXP, losses, losses);
    logarithmOfOneMore(losses, hinge, product);
    calls.relu(z, hinge);
    calls.multiply(z, y, product);
    // First what cancels out: after the sum, nothing of a small logarithm would be left.
    calls.subtract(hinge, product, hinge);
    calls.add(losses, hinge, losses);
    calls.sigmoid(z, z);
    calls.subtract(z, y, z);
  }

  /** x = ln(1 + x) = x ln u / (u - 1), u = 1 + x rounded (Kahan): the library's own loses what is small. */
  private void logarithmOfOneMore(Array x, Array u, Array logarithm) {
    calls.add(x, operands.constant(1), u);
    calls.strict(Calls.STRICT_LOG, u, logarithm);
    calls.subtract(u, operands.constant(1), u);
    calls.ratio(logarithm, u, logarithm, operands.constant(Calls.TINY));
    calls.multiply(x, logarithm, x);
  }

  /** With c the error e bounded by delta: c (e - c/2), which is e²/2 within, delta (|e| - delta/2) beyond; slope c. */
  private void huber(KernelCall.Huber call, Array z, Array y, Array losses, Array predictions) {
    Array bounded = operands.workFlat(0, call.rows().outputs());
    error(z, y, predictions);
    calls.clip(z, -call.delta(), call.delta(), bounded);
    calls.multiply(bounded, operands.constant(-0.5), losses);
    calls.add(losses, z, losses);
    calls.multiply(losses, bounded, losses);
    calls.multiply(bounded, operands.constant(1), z);
  }

  /** With d = y - z: max(tau d, (tau - 1) d); slope 1/2 - tau - sign(d)/2. */
  private void quantile(
      KernelCall.Quantile call, Array z, Array y, Array losses, Array predictions) {
    Array missing = operands.workFlat(0, call.rows().outputs());
    calls.multiply(z, operands.constant(1), predictions);
    calls.subtract(y, z, missing);
    calls.multiply(missing, operands.constant(call.tau()), losses);
    calls.multiply(missing, operands.constant(call.tau() - 1), z);
    calls.maximum(losses, z, losses);
    calls.same(Calls.SAME_SIGN, missing, z);
    calls.multiply(z, operands.constant(-0.5), z);
    calls.add(z, operands.constant(0.5 - call.tau()), z);
  }
}
