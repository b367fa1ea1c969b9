package io.penstock.trainer.cpu;

import static java.util.Objects.requireNonNull;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import java.util.ArrayList;
import java.util.List;

/**
 * Binds kernel calls to code: the one place that looks at what kind a call is. A call may become several kernels, each of which
 * the JIT compiles apart: what it inlines into one method is limited, and beyond the limit it boxes vectors.
 */
final class Kernels {
  private final Program program;
  private final Buffers buffers;
  private final List<Kernel> bound = new ArrayList<>();

  private Kernels(Program program, Buffers buffers) {
    this.program = program;
    this.buffers = buffers;
  }

  /** The kernels of {@code calls}, in order. */
  static Kernel[] bind(Program program, Buffers buffers, List<KernelCall> calls) {
    Kernels kernels = new Kernels(program, buffers);
    for (KernelCall call : calls) {
      kernels.bind(call);
    }
    return kernels.bound.toArray(Kernel[]::new);
  }

  private void bind(KernelCall call) {
    switch (call) {
      case KernelCall.SelectRows c -> selectRows(c);
      case KernelCall.Gemm c when c.a().perRow() -> rowSumGemm(c);
      case KernelCall.Gemm c -> batchGemm(c);
      case KernelCall.ActivationGradient c -> activationGradient(c);
      case KernelCall.Loss c -> loss(c);
      case KernelCall.Evaluate c -> evaluate(c);
      case KernelCall.CheckGradient c -> checkGradient(c);
      case KernelCall.Update c ->
          bound.add(
              Optimizers.bind(
                  c.rule(),
                  base(c.parameters()),
                  base(c.gradient()),
                  base(c.state()),
                  c.parameters().columns()));
    }
  }

  private void selectRows(KernelCall.SelectRows call) {
    Operand features = buffers.operand(call.features());
    Operand weights = buffers.operand(call.weights());
    bound.add(
        s ->
            Selection.clear(
                features.address(s),
                features.strideBytes(),
                features.lines(),
                weights.address(s),
                s.rows));
  }

  private int capacityRows() {
    return program.layout().capacityRows();
  }

  private void rowSumGemm(KernelCall.Gemm call) {
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    Operand c = buffers.operand(call.c());
    if (GemmChoice.rowSumByBlas(a.lines(), b.lines(), capacityRows())) {
      OpenBlas.require();
      bound.add(
          s ->
              OpenBlas.sgemm(
                  false,
                  true,
                  a.lines(),
                  b.lines(),
                  s.rows,
                  a.address(s),
                  a.stride(),
                  b.address(s),
                  b.stride(),
                  c.address(s),
                  c.stride()));
    } else if (GemmChoice.rowSumOfFewRows(a.lines(), b.lines(), capacityRows())) {
      fewRowsGemm(a, b, c);
    } else if (capacityRows() == 1) {
      bound.add(
          s ->
              OneRowGemm.outerProduct(
                  a.address(s),
                  a.strideBytes(),
                  a.lines(),
                  b.address(s),
                  b.strideBytes(),
                  b.lines(),
                  c.address(s),
                  c.strideBytes()));
    } else {
      clearPadding(a);
      clearPadding(b);
      ownRowSumGemm(a, b, c);
    }
  }

  private void clearPadding(Operand x) {
    bound.add(s -> Selection.clearPadding(x.address(s), x.strideBytes(), x.lines(), s.rows));
  }

  private void ownRowSumGemm(Operand a, Operand b, Operand c) {
    long sums = buffers.sums();
    if (a.lines() < RowSumGemm.A_TILE || b.lines() < RowSumGemm.B_TILE) {
      bound.add(
          s ->
              RowSumGemm.singleValues(
                  a.address(s),
                  a.strideBytes(),
                  a.lines(),
                  b.address(s),
                  b.strideBytes(),
                  b.lines(),
                  c.address(s),
                  c.strideBytes(),
                  s.rows,
                  sums));
    } else {
      bound.add(
          s ->
              RowSumGemm.multiply(
                  a.address(s),
                  a.strideBytes(),
                  a.lines(),
                  b.address(s),
                  b.strideBytes(),
                  b.lines(),
                  c.address(s),
                  c.strideBytes(),
                  s.rows,
                  sums));
    }
  }

  private void fewRowsGemm(Operand a, Operand b, Operand c) {
    long turned = buffers.zeros(capacityRows() * Memory.LANES);
    long wide = buffers.zeros(a.lines() * Memory.LANES);
    long bias = buffers.zeros(a.lines());
    bound.add(s -> FewRowsGemm.turn(b.address(s), b.strideBytes(), b.lines(), s.rows, turned));
    bound.add(
        s ->
            BatchGemm.lastVector(
                a.address(s),
                a.strideBytes(),
                Float.BYTES,
                turned,
                Memory.STEP,
                wide,
                Memory.STEP,
                a.lines(),
                s.rows,
                b.lines(),
                bias,
                Float.NEGATIVE_INFINITY));
    bound.add(s -> FewRowsGemm.cut(wide, c.address(s), c.strideBytes(), a.lines(), b.lines()));
  }

  private void batchGemm(KernelCall.Gemm call) {
    // GELU and SiLU need their input later: then the product goes there, and the activation from
    // there to c.
    Operand sum = buffers.operand(call.input() == null ? call.c() : call.input());
    long bias = call.bias() == null ? buffers.zeros(sum.lines()) : base(call.bias());
    float floor = call.activation() == Activation.RELU ? 0f : Float.NEGATIVE_INFINITY;
    if (GemmChoice.batchByBlas(sum.lines(), call.b().rows(), capacityRows(), call.transposeA())) {
      blasBatchGemm(call, sum);
      if (call.bias() != null || floor == 0) {
        bound.add(
            s ->
                Activations.addBias(
                    sum.address(s), sum.strideBytes(), sum.lines(), s.rows, bias, floor));
      }
    } else {
      ownBatchGemm(call, sum, bias, floor);
    }
    activation(call.activation(), sum, buffers.operand(call.c()));
  }

  private void blasBatchGemm(KernelCall.Gemm call, Operand c) {
    OpenBlas.require();
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    bound.add(
        s ->
            OpenBlas.sgemm(
                call.transposeA(),
                false,
                c.lines(),
                s.rows,
                b.lines(),
                a.address(s),
                a.stride(),
                b.address(s),
                b.stride(),
                c.address(s),
                c.stride()));
  }

  private void ownBatchGemm(KernelCall.Gemm call, Operand c, long bias, float floor) {
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    long aLine = call.transposeA() ? Float.BYTES : a.strideBytes();
    long aDepth = call.transposeA() ? a.strideBytes() : Float.BYTES;
    int lines = c.lines();
    int depth = b.lines();
    long bs = b.strideBytes();
    long cs = c.strideBytes();
    if (capacityRows() == 1) {
      bound.add(
          s ->
              OneRowGemm.multiply(
                  a.address(s),
                  aLine,
                  aDepth,
                  b.address(s),
                  bs,
                  c.address(s),
                  cs,
                  lines,
                  depth,
                  bias,
                  floor));
    } else if (lines < BatchGemm.MIN_LINES) {
      bound.add(
          s ->
              BatchGemm.singleLines(
                  a.address(s),
                  aLine,
                  aDepth,
                  b.address(s),
                  bs,
                  c.address(s),
                  cs,
                  lines,
                  depth,
                  s.rows,
                  bias,
                  floor));
    } else {
      bound.add(
          s ->
              BatchGemm.pairs(
                  a.address(s),
                  aLine,
                  aDepth,
                  b.address(s),
                  bs,
                  c.address(s),
                  cs,
                  lines,
                  depth,
                  s.rows,
                  bias,
                  floor));
      bound.add(
          s ->
              BatchGemm.lastVector(
                  a.address(s),
                  aLine,
                  aDepth,
                  b.address(s),
                  bs,
                  c.address(s),
                  cs,
                  lines,
                  depth,
                  s.rows,
                  bias,
                  floor));
    }
  }

  private void activation(Activation activation, Operand z, Operand a) {
    long stride = a.strideBytes();
    int lines = a.lines();
    switch (activation) {
      case IDENTITY, RELU -> {
        // Done with the bias.
      }
      case GELU ->
          bound.add(s -> Activations.gelu(z.address(s), a.address(s), stride, lines, s.rows));
      case SILU ->
          bound.add(s -> Activations.silu(z.address(s), a.address(s), stride, lines, s.rows));
      case TANH ->
          bound.add(s -> Activations.tanh(z.address(s), a.address(s), stride, lines, s.rows));
      case SIGMOID ->
          bound.add(s -> Activations.sigmoid(z.address(s), a.address(s), stride, lines, s.rows));
    }
  }

  private void activationGradient(KernelCall.ActivationGradient call) {
    Operand delta = buffers.operand(call.delta());
    if (call.activation() != Activation.IDENTITY) {
      slope(call.activation(), delta, buffers.operand(requireNonNull(call.operand())));
    }
    long bias = base(call.biasGradient());
    long sums = buffers.sums();
    bound.add(
        s ->
            Activations.sumLines(
                delta.address(s), delta.strideBytes(), delta.lines(), s.rows, bias, sums));
  }

  private void slope(Activation activation, Operand d, Operand x) {
    long ds = d.strideBytes();
    long xs = x.strideBytes();
    int n = d.lines();
    bound.add(
        switch (activation) {
          case IDENTITY -> s -> {};
          case RELU -> s -> Activations.reluGradient(d.address(s), ds, x.address(s), xs, n, s.rows);
          case GELU -> s -> Activations.geluGradient(d.address(s), ds, x.address(s), xs, n, s.rows);
          case SILU -> s -> Activations.siluGradient(d.address(s), ds, x.address(s), xs, n, s.rows);
          case TANH -> s -> Activations.tanhGradient(d.address(s), ds, x.address(s), xs, n, s.rows);
          case SIGMOID ->
              s -> Activations.sigmoidGradient(d.address(s), ds, x.address(s), xs, n, s.rows);
        });
  }

  private void loss(KernelCall.Loss call) {
    long z = base(call.rows().outputs());
    Operand y = buffers.operand(call.rows().labels());
    Operand w = buffers.operand(call.rows().weights());
    long losses = base(call.rows().losses());
    long said = base(call.rows().predictions());
    switch (call) {
      case KernelCall.SoftmaxCrossEntropy c -> softmax(call.rows(), z, y, w, losses, said);
      case KernelCall.SigmoidCrossEntropy c -> {
        long scores = base(call.rows().scores());
        bound.add(s -> Losses.signs(z, said, scores, s.rows));
        bound.add(s -> Losses.sigmoid(z, y.address(s), losses, s.rows));
        bound.add(s -> Losses.sigmoidSlope(z, y.address(s), s.rows));
        weigh(z, w);
      }
      case KernelCall.SquaredError c -> {
        bound.add(s -> Losses.squared(z, y.address(s), losses, said, s.rows));
        weigh(z, w);
      }
      case KernelCall.Huber c -> {
        float delta = c.delta();
        bound.add(s -> Losses.huber(z, y.address(s), losses, said, s.rows, delta));
        weigh(z, w);
      }
      case KernelCall.Quantile c -> {
        float tau = c.tau();
        bound.add(s -> Losses.quantile(z, y.address(s), losses, said, s.rows, tau));
        weigh(z, w);
      }
    }
  }

  private void weigh(long slopes, Operand w) {
    bound.add(s -> Losses.weigh(slopes, w.address(s), s.rows, s.inverseWeightSum()));
  }

  private void softmax(
      KernelCall.LossRows rows, long z, Operand y, Operand w, long losses, long said) {
    long stride = (long) rows.outputs().stride() * Float.BYTES;
    int classes = rows.outputs().rows();
    long scores = base(rows.scores());
    long largest = buffers.largest();
    long sums = buffers.totals();
    if (classes == 2) {
      bound.add(s -> Losses.logOdds(z, stride, scores, s.rows));
    }
    bound.add(s -> Losses.largest(z, stride, classes, largest, said, s.rows));
    bound.add(
        s -> Losses.exponentials(z, stride, classes, largest, y.address(s), sums, losses, s.rows));
    bound.add(s -> Losses.logarithms(sums, losses, s.rows));
    if (classes > 2) {
      bound.add(s -> Losses.largestProbability(sums, scores, s.rows));
    }
    bound.add(
        s ->
            Losses.softmaxGradient(
                z,
                stride,
                classes,
                y.address(s),
                w.address(s),
                sums,
                s.rows,
                s.inverseWeightSum()));
  }

  private void evaluate(KernelCall.Evaluate call) {
    Operand y = buffers.operand(call.rows().labels());
    Operand w = buffers.operand(call.rows().weights());
    long losses = base(call.rows().losses());
    long said = base(call.rows().predictions());
    long scores = base(call.rows().scores());
    Prequential prequential = new Prequential(program.metrics());
    bound.add(
        s -> {
          s.loss = Prequential.weightedLoss(w.address(s), losses, s.rows) / s.weightSum;
          if (Double.isFinite(s.loss)) {
            prequential.add(s.state, y.address(s), w.address(s), losses, said, scores, s.rows);
          }
        });
  }

  private void checkGradient(KernelCall.CheckGradient call) {
    long gradient = base(call.gradient());
    int size = call.gradient().columns();
    float clipNorm = call.clipNorm();
    double lossSpike = call.lossSpike();
    long sums = buffers.sums();
    if (clipNorm == 0) {
      bound.add(
          s ->
              s.judge(
                  Double.isFinite(s.loss) && Updates.finiteness(gradient, size, sums) == 0,
                  lossSpike));
    } else {
      bound.add(
          s -> {
            double norm = Math.sqrt(Updates.sumOfSquares(gradient, size, sums));
            s.judge(Double.isFinite(s.loss) && Double.isFinite(norm), lossSpike);
            // PyTorch's clip_grad_norm_.
            s.scale = (float) Math.min(1, clipNorm / (norm + 1e-6));
          });
    }
  }

  private long base(Matrix matrix) {
    return buffers.operand(matrix).base();
  }
}
