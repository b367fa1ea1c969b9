package io.penstock.trainer.cuda;

import static io.penstock.trainer.cuda.KernelSource.FUSED;

import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.util.List;

/** A {@link FusedShape} bound to a twin: the three launches of fused.cu. */
final class FusedPlan {
  private final FusedShape shape;
  private final Program program;
  private final Kernels kernels;
  private final Regions regions;
  private final Plan.Shared shared;
  private final long partials;

  /**
   * What all twins share.
   *
   * @param shared as the general plan's
   */
  FusedPlan(
      FusedShape shape,
      Program program,
      CudaContext context,
      Kernels kernels,
      Regions regions,
      Plan.Shared shared,
      long stream) {
    this.shape = shape;
    this.program = program;
    this.kernels = kernels;
    this.regions = regions;
    this.shared = shared;
    // Between tensors nothing is ever written: zeros stay.
    partials =
        Regions.cleared(
            context, (long) shape.tiles() * program.parameters().size() * Float.BYTES, stream);
  }

  /** All launches of a step on the slot at an address, in order. */
  List<Launch> launches(long slot) {
    int size = program.parameters().size();
    int blocks = Kernels.blocksOf(size);
    KernelCall.LossRows rows = shape.loss().rows();
    UpdateRule rule = UpdateRule.of(shape.update().rule());
    UpdateRule.Adam adam = rule.adam();
    long parameters = regions.address(Region.PARAMETERS);
    long gradients = regions.address(Region.GRADIENTS);
    long state = regions.address(Region.OPTIMIZER);
    long labels = regions.address(rows.labels(), slot);
    long weights = regions.address(rows.weights(), slot);
    long losses = regions.address(rows.losses(), slot);
    long predictions = regions.address(rows.predictions(), slot);
    long scores = regions.address(rows.scores(), slot);
    Matrix features = shape.features();
    return List.of(
        kernels.blocks(
            FUSED,
            "fusedGradients",
            shape.tiles(),
            shape.sharedBytes(),
            slot,
            shared.step(),
            shape.model().stream().mapToInt(i -> i).toArray(),
            parameters,
            partials,
            size,
            regions.address(features, slot),
            (long) features.stride(),
            labels,
            weights,
            losses,
            predictions,
            scores,
            Codes.of(shape.loss()),
            Codes.number(shape.loss())),
        kernels.blocks(
            FUSED,
            "fusedSums",
            blocks + 1,
            0,
            partials,
            gradients,
            size,
            shared.partials(),
            labels,
            weights,
            losses,
            predictions,
            scores,
            shared.step(),
            program.metrics().classes(),
            shared.growths(),
            shared.edges(),
            adam.rate(),
            adam.beta1(),
            adam.beta2(),
            shape.check().lossSpike()),
        kernels.blocks(
            FUSED,
            "fusedUpdate",
            blocks,
            0,
            parameters,
            gradients,
            state,
            state + (long) size * Float.BYTES,
            size,
            shared.partials(),
            blocks,
            shape.check().clipNorm(),
            shared.step(),
            rule.code(),
            numbers(rule),
            adam.beta1(),
            adam.beta2()));
  }

  /** {@code struct Numbers}. */
  private static float[] numbers(UpdateRule rule) {
    float[] numbers = new float[6];
    for (int i = 0; i < rule.numbers().size(); i++) {
      numbers[i] = rule.numbers().get(i);
    }
    return numbers;
  }
}
