package io.penstock.trainer.cuda;

import static io.penstock.trainer.cuda.KernelSource.ACTIVATIONS;
import static io.penstock.trainer.cuda.KernelSource.EVALUATE;
import static io.penstock.trainer.cuda.KernelSource.LOSSES;
import static io.penstock.trainer.cuda.KernelSource.OPTIMIZERS;
import static io.penstock.trainer.cuda.KernelSource.ROWS;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import java.util.ArrayList;
import java.util.List;

/** A program bound to a twin: the one place that looks at what kind a kernel call is. */
final class Plan {
  /** Blocks that share the gradient's squares, at most. */
  static final int MOST_PARTIALS = 256;

  private static final int VALUES_A_BLOCK = 2048;

  private final Kernels kernels;
  private final Matmuls matmuls;
  private final Regions regions;
  private final Shared shared;
  private final int capacityRows;
  private final long slot;
  private final List<Launch> launches = new ArrayList<>();

  /**
   * What all twins share.
   *
   * @param step address of struct Step
   * @param growths of {@link Regions#growths}
   * @param edges of {@link Regions#edges}
   * @param partials room for {@link #MOST_PARTIALS} doubles
   */
  record Shared(long step, long growths, long edges, long partials) {}

  private Plan(
      Program program,
      Kernels kernels,
      Matmuls matmuls,
      Regions regions,
      Shared shared,
      long slot) {
    this.kernels = kernels;
    this.matmuls = matmuls;
    this.regions = regions;
    this.shared = shared;
    this.slot = slot;
    capacityRows = program.layout().capacityRows();
  }

  /** All launches of a step, in order. */
  static List<Launch> of(
      Program program,
      Kernels kernels,
      Matmuls matmuls,
      Regions regions,
      Shared shared,
      long slot) {
    Plan plan = new Plan(program, kernels, matmuls, regions, shared, slot);
    plan.add(kernels.single(ROWS, "beginStep", slot, shared.step()));
    for (List<KernelCall> phase :
        List.of(program.forward(), program.gradient(), program.reduce(), program.update())) {
      for (KernelCall call : phase) {
        plan.bind(call, program);
      }
    }
    plan.add(kernels.single(ROWS, "endStep", shared.step()));
    return List.copyOf(plan.launches);
  }

  private void add(Launch launch) {
    launches.add(launch);
  }

  private void bind(KernelCall call, Program program) {
    switch (call) {
      case KernelCall.SelectRows c -> selectRows(c);
      case KernelCall.Gemm c -> gemm(c);
      case KernelCall.ActivationGradient c -> activationGradient(c);
      case KernelCall.Loss c -> loss(c);
      case KernelCall.Evaluate c -> evaluate(c.rows(), program.metrics().classes());
      case KernelCall.CheckGradient c -> checkGradient(c);
      case KernelCall.Update c -> update(c);
    }
  }

  private long address(Matrix matrix) {
    return regions.address(matrix, slot);
  }

  private Matmuls.Operand operand(Matrix matrix) {
    return new Matmuls.Operand(
        address(matrix), matrix.rows(), matrix.columns(capacityRows), matrix.stride());
  }

  private void selectRows(KernelCall.SelectRows call) {
    Matrix features = call.features();
    add(
        kernels.columns(
            ROWS,
            "selectRows",
            capacityRows,
            features.rows(),
            address(features),
            (long) features.stride(),
            features.rows(),
            address(call.weights()),
            capacityRows,
            shared.step()));
  }

  /** The graph's product runs over all rows there is room for: what is none must add nothing to a sum over them. */
  private void clearPadding(Matrix a, Matrix b) {
    add(
        kernels.columns(
            ROWS,
            "clearPadding",
            capacityRows,
            Math.max(a.rows(), b.rows()),
            address(a),
            (long) a.stride(),
            a.rows(),
            address(b),
            (long) b.stride(),
            b.rows(),
            capacityRows,
            shared.step()));
  }

  private void gemm(KernelCall.Gemm call) {
    if (call.a().perRow() && capacityRows > 1) {
      clearPadding(call.a(), call.b());
    }
    Matrix sum = call.input() == null ? call.c() : call.input();
    add(
        matmuls.multiply(
            operand(call.a()),
            call.transposeA(),
            operand(call.b()),
            call.transposeB(),
            operand(sum)));
    if (call.bias() == null && call.activation() == Activation.IDENTITY && call.input() == null) {
      return;
    }
    int columns = sum.columns(capacityRows);
    add(
        kernels.columns(
            ACTIVATIONS,
            "biasActivation",
            columns,
            sum.rows(),
            address(sum),
            address(call.c()),
            (long) sum.stride(),
            (long) call.c().stride(),
            sum.rows(),
            columns,
            call.bias() == null ? 0L : address(call.bias()),
            Codes.of(call.activation())));
  }

  private void activationGradient(KernelCall.ActivationGradient call) {
    Matrix delta = call.delta();
    Matrix operand = call.operand();
    add(
        kernels.blocks(
            ACTIVATIONS,
            "activationGradient",
            delta.rows(),
            0,
            address(delta),
            (long) delta.stride(),
            operand == null ? 0L : address(operand),
            operand == null ? 0L : (long) operand.stride(),
            capacityRows,
            address(call.biasGradient()),
            Codes.of(call.activation()),
            shared.step()));
  }

  private void loss(KernelCall.Loss call) {
    KernelCall.LossRows rows = call.rows();
    switch (call) {
      case KernelCall.SoftmaxCrossEntropy c ->
          add(
              rowsLaunch(
                  "softmaxCrossEntropy",
                  address(rows.outputs()),
                  (long) rows.outputs().stride(),
                  rows.outputs().rows(),
                  address(rows.labels()),
                  address(rows.weights()),
                  address(rows.losses()),
                  address(rows.predictions()),
                  address(rows.scores()),
                  capacityRows,
                  shared.step()));
      case KernelCall.SigmoidCrossEntropy c -> lossOfOneOutput("sigmoidCrossEntropy", rows);
      case KernelCall.SquaredError c -> lossOfOneOutput("squaredError", rows);
      case KernelCall.Huber c -> lossOfOneOutput("huber", rows, c.delta());
      case KernelCall.Quantile c -> lossOfOneOutput("quantile", rows, c.tau());
    }
  }

  private Launch rowsLaunch(String kernel, Object... arguments) {
    return kernels.blocks(LOSSES, kernel, Kernels.blocksOf(capacityRows), 0, arguments);
  }

  private void lossOfOneOutput(String kernel, KernelCall.LossRows rows, Object... more) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                address(rows.outputs()),
                address(rows.labels()),
                address(rows.weights()),
                address(rows.losses()),
                address(rows.predictions()),
                address(rows.scores()),
                capacityRows,
                shared.step()));
    arguments.addAll(List.of(more));
    add(rowsLaunch(kernel, arguments.toArray()));
  }

  private void evaluate(KernelCall.LossRows rows, int classes) {
    add(
        kernels.blocks(
            EVALUATE,
            "evaluate",
            1,
            0,
            address(rows.labels()),
            address(rows.weights()),
            address(rows.losses()),
            address(rows.predictions()),
            address(rows.scores()),
            shared.step(),
            classes,
            shared.growths(),
            shared.edges()));
  }

  private void checkGradient(KernelCall.CheckGradient call) {
    int size = call.gradient().columns();
    int blocks = Math.clamp((size + VALUES_A_BLOCK - 1L) / VALUES_A_BLOCK, 1, MOST_PARTIALS);
    add(
        kernels.blocks(
            OPTIMIZERS,
            "squaresOfGradient",
            blocks,
            0,
            address(call.gradient()),
            size,
            shared.partials()));
    add(
        kernels.blocks(
            OPTIMIZERS,
            "checkGradient",
            1,
            0,
            shared.partials(),
            blocks,
            call.clipNorm(),
            call.lossSpike(),
            shared.step()));
  }

  private void update(KernelCall.Update call) {
    UpdateRule rule = UpdateRule.of(call.rule());
    if (rule.isAdam()) {
      UpdateRule.Adam adam = rule.adam();
      add(
          kernels.single(
              OPTIMIZERS, "adamFactors", adam.rate(), adam.beta1(), adam.beta2(), shared.step()));
    }
    int size = call.parameters().columns();
    List<Object> arguments = new ArrayList<>();
    arguments.add(address(call.parameters()));
    arguments.add(address(call.gradient()));
    for (int i = 0; i < rule.states(); i++) {
      arguments.add(address(call.state()) + (long) i * size * Float.BYTES);
    }
    arguments.add(size);
    arguments.add(shared.step());
    arguments.addAll(rule.numbers());
    add(kernels.blocks(OPTIMIZERS, rule.kernel(), Kernels.blocksOf(size), 0, arguments.toArray()));
  }
}
