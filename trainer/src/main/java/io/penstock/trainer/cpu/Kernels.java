package io.penstock.trainer.cpu;

import static java.util.Objects.requireNonNull;

import io.penstock.config.OptimizerConfig;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.TrainingState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Binds kernel calls to code: the one place that looks at what kind a call is. */
final class Kernels {
  private final Program program;
  private final Buffers buffers;

  Kernels(Program program, Buffers buffers) {
    this.program = program;
    this.buffers = buffers;
  }

  Kernel[] bind(List<KernelCall> calls) {
    List<Kernel> kernels = new ArrayList<>();
    for (KernelCall call : calls) {
      kernels.add(bind(call));
    }
    return kernels.toArray(Kernel[]::new);
  }

  private Kernel bind(KernelCall call) {
    return switch (call) {
      case KernelCall.SelectRows c -> selectRows(c);
      case KernelCall.Gemm c -> gemm(c);
      case KernelCall.ActivationGradient c -> activationGradient(c);
      case KernelCall.Loss c -> loss(c);
      case KernelCall.Evaluate c -> evaluate(c);
      case KernelCall.CheckGradient c -> checkGradient(c);
      case KernelCall.Update c -> update(c);
    };
  }

  private Kernel selectRows(KernelCall.SelectRows call) {
    Operand features = buffers.operand(call.features());
    Operand weights = buffers.operand(call.weights());
    return step ->
        Selection.clearWeightless(
            features.address(step),
            features.strideBytes(),
            features.lines(),
            weights.address(step),
            step.rows);
  }

  private Kernel gemm(KernelCall.Gemm call) {
    Matrix a = call.a();
    if (a.perRow()) {
      return rowSumGemm(call);
    }
    return batchGemm(call);
  }

  private Kernel rowSumGemm(KernelCall.Gemm call) {
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    Operand c = buffers.operand(call.c());
    long sums = buffers.sums();
    int capacity = program.layout().capacityRows();
    if (GemmChoice.rowSumByBlas(a.lines(), b.lines(), capacity)) {
      OpenBlas.require();
      return step ->
          OpenBlas.sgemm(
              false,
              true,
              a.lines(),
              b.lines(),
              step.rows,
              a.address(step),
              a.matrix().stride(),
              b.address(step),
              b.matrix().stride(),
              c.address(step),
              c.matrix().stride());
    }
    return step -> {
      if (step.rows == 1) {
        OneRowGemm.outerProduct(
            a.address(step),
            a.strideBytes(),
            a.lines(),
            b.address(step),
            b.strideBytes(),
            b.lines(),
            c.address(step),
            c.strideBytes());
      } else {
        RowSumGemm.multiply(
            a.address(step),
            a.strideBytes(),
            a.lines(),
            b.address(step),
            b.strideBytes(),
            b.lines(),
            c.address(step),
            c.strideBytes(),
            step.rows,
            sums);
      }
    };
  }

  private Kernel batchGemm(KernelCall.Gemm call) {
    int lines = call.c().rows();
    int depth = call.b().rows();
    return GemmChoice.batchByBlas(lines, depth, program.layout().capacityRows())
        ? blasBatchGemm(call, lines, depth)
        : ownBatchGemm(call, lines, depth);
  }

  private Kernel blasBatchGemm(KernelCall.Gemm call, int lines, int depth) {
    OpenBlas.require();
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    Operand c = buffers.operand(call.c());
    Kernel product =
        step ->
            OpenBlas.sgemm(
                call.transposeA(),
                false,
                lines,
                step.rows,
                depth,
                a.address(step),
                a.matrix().stride(),
                b.address(step),
                b.matrix().stride(),
                c.address(step),
                c.matrix().stride());
    if (call.bias() == null && call.activation() == Activation.IDENTITY) {
      return product;
    }
    Kernel epilogue = epilogue(call, call.bias());
    return step -> {
      product.run(step);
      epilogue.run(step);
    };
  }

  private Kernel ownBatchGemm(KernelCall.Gemm call, int lines, int depth) {
    Operand a = buffers.operand(call.a());
    Operand b = buffers.operand(call.b());
    Operand c = buffers.operand(call.c());
    long bias = address(call.bias());
    long aLine = call.transposeA() ? Float.BYTES : a.strideBytes();
    long aDepth = call.transposeA() ? a.strideBytes() : Float.BYTES;
    boolean relu = call.activation() == Activation.RELU;
    float floor = relu ? 0f : Float.NEGATIVE_INFINITY;
    Kernel product =
        step -> {
          if (step.rows == 1) {
            OneRowGemm.multiply(
                a.address(step),
                aLine,
                aDepth,
                b.address(step),
                b.strideBytes(),
                c.address(step),
                c.strideBytes(),
                lines,
                depth,
                bias,
                floor);
          } else {
            BatchGemm.multiply(
                a.address(step),
                aLine,
                aDepth,
                b.address(step),
                b.strideBytes(),
                c.address(step),
                c.strideBytes(),
                lines,
                depth,
                step.rows,
                bias,
                floor);
          }
        };
    if (relu || call.activation() == Activation.IDENTITY) {
      return product;
    }
    Kernel epilogue = epilogue(call, null);
    return step -> {
      product.run(step);
      epilogue.run(step);
    };
  }

  private Kernel epilogue(KernelCall.Gemm call, @Nullable Matrix addedBias) {
    Operand c = buffers.operand(call.c());
    long bias = address(addedBias);
    long kept = address(call.input());
    Activation activation = call.activation();
    return step ->
        Activations.forward(
            activation,
            c.address(step),
            c.address(step),
            c.strideBytes(),
            c.lines(),
            step.rows,
            bias,
            kept);
  }

  private Kernel activationGradient(KernelCall.ActivationGradient call) {
    Operand delta = buffers.operand(call.delta());
    long bias = address(call.biasGradient());
    long sums = buffers.sums();
    Kernel sum =
        step ->
            Activations.sumLines(
                delta.address(step), delta.strideBytes(), delta.lines(), step.rows, bias, sums);
    if (call.activation() == Activation.IDENTITY) {
      return sum;
    }
    Operand operand = buffers.operand(requireNonNull(call.operand()));
    return step -> {
      Activations.gradient(
          call.activation(),
          delta.address(step),
          delta.strideBytes(),
          operand.address(step),
          operand.strideBytes(),
          delta.lines(),
          step.rows);
      sum.run(step);
    };
  }

  private Kernel loss(KernelCall.Loss call) {
    Operand z = buffers.operand(call.rows().outputs());
    Operand labels = buffers.operand(call.rows().labels());
    Operand weights = buffers.operand(call.rows().weights());
    long losses = address(call.rows().losses());
    long predictions = address(call.rows().predictions());
    long zs = z.base();
    return switch (call) {
      case KernelCall.SoftmaxCrossEntropy c ->
          s ->
              Losses.softmax(
                  zs,
                  z.strideBytes(),
                  z.lines(),
                  labels.address(s),
                  weights.address(s),
                  losses,
                  predictions,
                  s.rows,
                  s.inverseWeightSum());
      case KernelCall.SigmoidCrossEntropy c ->
          s ->
              Losses.sigmoid(
                  zs,
                  labels.address(s),
                  weights.address(s),
                  losses,
                  predictions,
                  s.rows,
                  s.inverseWeightSum());
      case KernelCall.SquaredError c ->
          s ->
              Losses.squared(
                  zs,
                  labels.address(s),
                  weights.address(s),
                  losses,
                  predictions,
                  s.rows,
                  s.inverseWeightSum());
      case KernelCall.Huber c ->
          s ->
              Losses.huber(
                  zs,
                  labels.address(s),
                  weights.address(s),
                  losses,
                  predictions,
                  s.rows,
                  s.inverseWeightSum(),
                  c.delta());
      case KernelCall.Quantile c ->
          s ->
              Losses.quantile(
                  zs,
                  labels.address(s),
                  weights.address(s),
                  losses,
                  predictions,
                  s.rows,
                  s.inverseWeightSum(),
                  c.tau());
    };
  }

  private Kernel evaluate(KernelCall.Evaluate call) {
    Operand labels = buffers.operand(call.rows().labels());
    Operand weights = buffers.operand(call.rows().weights());
    long losses = address(call.rows().losses());
    long predictions = address(call.rows().predictions());
    Prequential prequential = new Prequential(program.metrics(), program.layout().capacityRows());
    return step -> {
      step.loss =
          Prequential.weightedLoss(weights.address(step), losses, step.rows) / step.weightSum;
      if (Double.isFinite(step.loss)) {
        prequential.add(
            step.state,
            labels.address(step),
            weights.address(step),
            losses,
            predictions,
            step.rows);
      }
    };
  }

  private Kernel checkGradient(KernelCall.CheckGradient call) {
    long gradient = address(call.gradient());
    int size = call.gradient().columns();
    float clipNorm = call.clipNorm();
    long sums = buffers.sums();
    if (clipNorm == 0) {
      return step ->
          step.finite = Double.isFinite(step.loss) && Updates.finiteness(gradient, size, sums) == 0;
    }
    return step -> {
      double norm = Math.sqrt(Updates.sumOfSquares(gradient, size, sums));
      step.finite = Double.isFinite(step.loss) && Double.isFinite(norm);
      step.scale = (float) Math.min(1, clipNorm / (norm + 1e-6));
    };
  }

  private Kernel update(KernelCall.Update call) {
    long w = address(call.parameters());
    long g = address(call.gradient());
    long s = address(call.state());
    int size = call.parameters().columns();
    Kernel rule = rule(call.rule(), w, g, s, size);
    return step -> {
      if (step.finite) {
        rule.run(step);
      }
    };
  }

  private static Kernel rule(OptimizerConfig config, long w, long g, long s, int size) {
    float rate = (float) config.learningRate();
    return switch (config) {
      case OptimizerConfig.Sgd c -> step -> Updates.sgd(w, g, size, rate, step.scale);
      case OptimizerConfig.Momentum c -> {
        float momentum = (float) c.momentum();
        yield step -> Updates.momentum(w, g, s, size, rate, momentum, step.scale);
      }
      case OptimizerConfig.Nesterov c -> {
        float momentum = (float) c.momentum();
        yield step -> Updates.nesterov(w, g, s, size, rate, momentum, step.scale);
      }
      case OptimizerConfig.Adagrad c -> {
        float epsilon = (float) c.epsilon();
        yield step -> Updates.adagrad(w, g, s, size, rate, epsilon, step.scale);
      }
      case OptimizerConfig.RmsProp c -> {
        float epsilon = (float) c.epsilon();
        float decay = (float) c.decay();
        float rest = (float) (1 - c.decay());
        yield step -> Updates.rmsProp(w, g, s, size, rate, decay, rest, epsilon, step.scale);
      }
      case OptimizerConfig.Adam c ->
          adam(c.learningRate(), c.beta1(), c.beta2(), c.epsilon(), 0, w, g, s, size);
      case OptimizerConfig.AdamW c ->
          adam(c.learningRate(), c.beta1(), c.beta2(), c.epsilon(), c.weightDecay(), w, g, s, size);
    };
  }

  private static Kernel adam(
      double rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      long w,
      long g,
      long s,
      int size) {
    long v = s + (long) size * Float.BYTES;
    float shrink = (float) (1 - rate * weightDecay);
    return step -> {
      double[] values = step.state.values();
      values[TrainingState.BETA1_POWER] *= beta1;
      values[TrainingState.BETA2_POWER] *= beta2;
      Updates.adam(
          w,
          g,
          s,
          v,
          size,
          (float) (rate / (1 - values[TrainingState.BETA1_POWER])),
          (float) (1 / Math.sqrt(1 - values[TrainingState.BETA2_POWER])),
          (float) beta1,
          (float) (1 - beta1),
          (float) beta2,
          (float) (1 - beta2),
          (float) epsilon,
          shrink,
          step.scale);
    };
  }

  private long address(@Nullable Matrix matrix) {
    return matrix == null ? 0 : buffers.operand(matrix).base();
  }
}
