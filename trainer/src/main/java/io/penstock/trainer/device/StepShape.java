package io.penstock.trainer.device;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A step that benchmarks time: a multilayer perceptron with ReLU, softmax loss and Adam, on invented rows.
 *
 * @param dims features, hidden units of each layer, classes
 * @param batch rows, all of them real
 */
public record StepShape(List<Integer> dims, int batch) {
  private static final long FEW_SLOTS_FROM_BYTES = 32L << 20;

  /** Refuses what is no model. */
  public StepShape {
    dims = List.copyOf(dims);
    if (dims.size() < 2 || dims.stream().anyMatch(n -> n < 1) || batch < 1) {
      throw new IllegalArgumentException(
          "a step has two dimensions or more and rows, not %s and %d".formatted(dims, batch));
    }
  }

  /** The same from an array. */
  public static StepShape of(int[] dims, int batch) {
    return new StepShape(Arrays.stream(dims).boxed().toList(), batch);
  }

  /** Such as {@code 54-64-7 · 256}. */
  @Override
  public String toString() {
    return model() + " · " + batch;
  }

  /** Such as {@code 54-64-7}. */
  public String model() {
    return dims.stream().map(String::valueOf).collect(Collectors.joining("-"));
  }

  /** Additions and multiplications of a step's products. */
  public double operations() {
    double operations = 0;
    for (int i = 0; i + 1 < dims.size(); i++) {
      operations += 6.0 * batch * dims.get(i) * dims.get(i + 1);
    }
    return operations;
  }

  /** The step as a program. */
  public Program program() {
    return Lowering.lower(spec(), SlotLayout.of(batch, dims.getFirst()), 1000);
  }

  /** First parameters, always the same. */
  public float[] parameters() {
    return InitialParameters.of(spec(), 1);
  }

  private ModelSpec spec() {
    return ModelSpec.of(
        new ModelConfig.Mlp(dims.subList(1, dims.size() - 1), ModelConfig.Activation.RELU),
        new LossConfig.Softmax(),
        new OptimizerConfig.Adam(1e-3, 0.9, 0.999, 1e-8, 0),
        new LabelConfig("label", LabelType.CLASS, dims.getLast(), List.of()),
        dims.getFirst());
  }

  /** {@code count} full minibatches of random rows, always the same; of large ones a quarter as many. */
  public Slot[] slots(SlotMemory memory, int count) {
    SlotLayout layout = SlotLayout.of(batch, dims.getFirst());
    int made = layout.byteSize() < FEW_SLOTS_FROM_BYTES ? count : Math.ceilDiv(count, 4);
    Slot[] slots = new Slot[made];
    Random random = new Random(1);
    for (int i = 0; i < made; i++) {
      slots[i] = slot(layout, memory, random);
    }
    return slots;
  }

  private Slot slot(SlotLayout layout, SlotMemory memory, Random random) {
    MemorySegment data = memory.allocate(layout.byteSize());
    for (int row = 0; row < layout.capacityRows(); row++) {
      long at = (long) row * Float.BYTES;
      for (int feature = 0; feature < layout.features(); feature++) {
        data.set(JAVA_FLOAT, layout.featureOffset(feature) + at, (float) random.nextGaussian());
      }
      data.set(JAVA_FLOAT, layout.labelOffset() + at, random.nextInt(dims.getLast()));
      data.set(JAVA_FLOAT, layout.weightOffset() + at, 1f);
    }
    data.set(little(ValueLayout.JAVA_INT), SlotLayout.VALID_ROWS_OFFSET, layout.capacityRows());
    data.set(little(ValueLayout.JAVA_LONG), SlotLayout.SEQUENCE_OFFSET, 0);
    data.set(little(ValueLayout.JAVA_DOUBLE), SlotLayout.WEIGHT_SUM_OFFSET, layout.capacityRows());
    return new Slot(layout, data);
  }

  private static ValueLayout.OfInt little(ValueLayout.OfInt value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }

  private static ValueLayout.OfLong little(ValueLayout.OfLong value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }

  private static ValueLayout.OfDouble little(ValueLayout.OfDouble value) {
    return value.withOrder(ByteOrder.LITTLE_ENDIAN);
  }
}
