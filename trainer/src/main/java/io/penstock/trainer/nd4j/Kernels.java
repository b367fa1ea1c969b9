package io.penstock.trainer.nd4j;

import static java.util.Objects.requireNonNull;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import org.bytedeco.javacpp.Pointer;

/** Binds kernel calls up to the gradient to operations: the one place that looks at what kind a call is. */
final class Kernels {
  private final Calls calls;
  private final Operands operands;
  private final Buffers buffers;
  private final Losses losses;
  private final Activations activations;
  private final Line valid;
  private final Line kept;
  private final Streams streams;
  private final Outcome outcome;

  Kernels(
      Calls calls,
      Operands operands,
      Buffers buffers,
      Losses losses,
      Line valid,
      Line kept,
      Streams streams,
      Outcome outcome) {
    this.calls = calls;
    this.operands = operands;
    this.buffers = buffers;
    this.losses = losses;
    this.valid = valid;
    this.kept = kept;
    this.streams = streams;
    this.outcome = outcome;
    activations = new Activations(calls, operands);
  }

  void bind(KernelCall call) {
    switch (call) {
      case KernelCall.SelectRows c ->
          calls.where(
              step -> step.selective,
              () -> {
                Array features = operands.lines(c.features());
                calls.select(features, kept.matrix(), features);
              });
      case KernelCall.Gemm c -> gemm(c);
      case KernelCall.ActivationGradient c -> activationGradient(c);
      case KernelCall.Loss c -> losses.bind(c);
      case KernelCall.Evaluate c -> evaluate(c);
      case KernelCall.CheckGradient c -> checkGradient(c);
      case KernelCall.Update c ->
          throw new IllegalArgumentException("an update is not part of the gradient");
    }
  }

  private void gemm(KernelCall.Gemm call) {
    // GELU and SiLU need their input later: then the product goes there.
    Matrix sum = call.input() == null ? call.c() : call.input();
    if (call.a().perRow()) {
      clearPadding(call.a());
      clearPadding(call.b());
    }
    calls.matmul(
        call.transposeA() ? operands.transposed(call.a()) : operands.product(call.a()),
        call.transposeB() ? operands.transposed(call.b()) : operands.product(call.b()),
        operands.product(sum));
    if (call.bias() != null) {
      Array lines = operands.lines(sum);
      calls.add(lines, operands.column(call.bias()), lines);
    }
    activations.forward(call.activation(), sum, call.c());
  }

  private void activationGradient(KernelCall.ActivationGradient call) {
    if (call.activation() != Activation.IDENTITY) {
      activations.backward(call.activation(), call.delta(), requireNonNull(call.operand()));
    }
    clearPadding(call.delta());
    // A sum over rows is a product with ones: ND4J's own takes ten times as long.
    calls.matmul(
        operands.product(call.delta()),
        buffers.ones().matrix(0, buffers.capacityRows(), 1),
        operands.column(call.biasGradient()));
  }

  /** Behind the valid rows may be anything, and a sum over rows goes over all. */
  private void clearPadding(Matrix matrix) {
    calls.where(
        step -> step.partial,
        () -> {
          Array lines = operands.lines(matrix);
          calls.select(lines, valid.matrix(), lines);
        });
  }

  private void evaluate(KernelCall.Evaluate call) {
    copyLine(outcome.lossesAddress(), call.rows().losses());
    copyLine(outcome.predictionsAddress(), call.rows().predictions());
    copyLine(outcome.scoresAddress(), call.rows().scores());
  }

  private void copyLine(Pointer host, Matrix line) {
    copyOut(host, operands.buffer(line), line.offset(), (long) line.stride() * Float.BYTES);
  }

  /** 0 · g and g² are both finite only where g is. */
  private void checkGradient(KernelCall.CheckGradient call) {
    long size = call.gradient().columns();
    Buffer gradient = operands.buffer(call.gradient());
    Buffer other = call.clipNorm() == 0 ? buffers.zeros() : gradient;
    Buffer sum = buffers.floats(1);
    calls.matmul(
        gradient.matrix(call.gradient().offset(), 1, size),
        other.matrix(call.clipNorm() == 0 ? 0 : call.gradient().offset(), size, 1),
        sum.matrix(0, 1, 1));
    copyOut(outcome.gradientSumAddress(), sum, 0, Float.BYTES);
  }

  void copyOut(Pointer host, Buffer buffer, long offset, long bytes) {
    Pointer device = buffer.at(offset);
    calls.add(step -> streams.copyOut(host, device, bytes));
  }
}
