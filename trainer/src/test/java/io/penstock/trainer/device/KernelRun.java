package io.penstock.trainer.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Few kernels in a program of their own. First its operands are placed, with gaps between them; then it is {@linkplain #open
 * opened}, operands are filled, and steps run. Everything that is not filled is poison, a NaN of its own bits: outputs, gaps, and
 * what lies behind the valid rows of inputs. After a step all that is neither an output nor behind the valid rows of an operand
 * must have kept its bits.
 */
final class KernelRun implements AutoCloseable {
  private static final float POISON = Float.intBitsToFloat(0x7fc0beef);
  private static final int ALIGNMENT = 16;
  private static final List<Region> REGIONS =
      List.of(Region.PARAMETERS, Region.GRADIENTS, Region.OPTIMIZER, Region.SCRATCH);

  private final Device device;
  private final SlotLayout layout;
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Matrix> perRow = new ArrayList<>();
  private final Map<Region, float[]> values = new EnumMap<>(Region.class);
  private final SlotMemory memory;
  private final Slot slot;
  private final StepResult result = new StepResult();
  private int parameterSize;
  private int scratchSize = ALIGNMENT;
  private long sequence;
  private @Nullable DeviceSession session;

  /**
   * Places the slot.
   *
   * @param capacityRows rows of a full minibatch
   */
  KernelRun(Device device, int capacityRows, int features) {
    this.device = device;
    layout = SlotLayout.of(capacityRows, features);
    memory = device.slotMemory();
    slot = SlotFiller.slot(layout, memory);
    tensor(1, 1);
  }

  /** All features of the slot. */
  Matrix features() {
    return slotLines(layout.featureOffset(0), layout.features());
  }

  /** The slot's labels. */
  Matrix labels() {
    return slotLines(layout.labelOffset(), 1);
  }

  /** The slot's row weights. */
  Matrix weights() {
    return slotLines(layout.weightOffset(), 1);
  }

  private Matrix slotLines(long byteOffset, int lines) {
    return new Matrix(
        Region.SLOT, byteOffset / Float.BYTES, lines, Matrix.VALID_ROWS, layout.strideRows());
  }

  /** Places lines with a value for each row. */
  Matrix scratch(int lines) {
    Matrix matrix =
        new Matrix(Region.SCRATCH, scratchSize, lines, Matrix.VALID_ROWS, layout.strideRows());
    scratchSize += lines * layout.strideRows() + ALIGNMENT;
    perRow.add(matrix);
    return matrix;
  }

  /** Places a parameter, and its gradient at the same place. */
  Tensor tensor(int rows, int columns) {
    Tensor tensor = new Tensor("tensor" + tensors.size(), parameterSize, rows, columns);
    tensors.add(tensor);
    parameterSize += (tensor.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return tensor;
  }

  static Matrix in(Region region, Tensor tensor) {
    return new Matrix(region, tensor.offset(), tensor.rows(), tensor.columns(), tensor.columns());
  }

  /** All of a region laid out as the parameters are, {@code copies} times. */
  Matrix flat(Region region, int copies) {
    return new Matrix(region, 0, 1, copies * parameterSize, copies * parameterSize);
  }

  /** What a loss works on, {@code outputs} lines of them. */
  KernelCall.LossRows lossRows(int outputs) {
    return new KernelCall.LossRows(
        scratch(outputs), labels(), weights(), scratch(1), scratch(1), scratch(1));
  }

  List<Tensor> tensors() {
    return tensors;
  }

  void open(
      int optimizerTensors,
      MetricsSpec metrics,
      List<KernelCall> forward,
      List<KernelCall> gradient,
      List<KernelCall> update) {
    Program program =
        new Program(
            layout,
            new ParameterLayout(List.copyOf(tensors), parameterSize),
            optimizerTensors * parameterSize,
            scratchSize,
            perRow.getFirst(),
            metrics,
            forward,
            gradient,
            List.of(),
            update);
    for (Region region : REGIONS) {
      float[] poison = new float[program.size(region)];
      Arrays.fill(poison, POISON);
      values.put(region, poison);
    }
    session = device.open(program, values(Region.PARAMETERS));
  }

  /** Opens with one kernel in the phase before the update's. */
  void open(KernelCall call) {
    boolean forward = call instanceof KernelCall.Gemm || call instanceof KernelCall.SelectRows;
    open(
        0,
        new MetricsSpec(0, 10),
        forward ? List.of(call) : List.of(),
        forward ? List.of() : List.of(call),
        List.of());
  }

  DeviceSession session() {
    return java.util.Objects.requireNonNull(session);
  }

  /** The host's copy of a region: what the next step begins with, and what the last one left. */
  float[] values(Region region) {
    return java.util.Objects.requireNonNull(values.get(region));
  }

  void set(Matrix matrix, int line, int column, float value) {
    values(matrix.region())[at(matrix, line, column)] = value;
  }

  float get(Matrix matrix, int line, int column) {
    return values(matrix.region())[at(matrix, line, column)];
  }

  private static int at(Matrix matrix, int line, int column) {
    return (int) matrix.offset() + line * matrix.stride() + column;
  }

  /** Fills the columns of all lines, for {@code rows} rows where there is one for each. */
  void fill(Matrix matrix, int rows, DoubleSupplier source) {
    for (int line = 0; line < matrix.rows(); line++) {
      for (int column = 0; column < matrix.columns(rows); column++) {
        set(matrix, line, column, (float) source.getAsDouble());
      }
    }
  }

  /** Line by line what {@link #fill} has set. */
  double[][] lines(Matrix matrix, int rows) {
    double[][] lines = new double[matrix.rows()][matrix.columns(rows)];
    for (int line = 0; line < lines.length; line++) {
      for (int column = 0; column < lines[line].length; column++) {
        lines[line][column] = get(matrix, line, column);
      }
    }
    return lines;
  }

  /** Fills all tensors, and what lies between them with 0, as it is in the flat buffers of a model. */
  void fillFlat(Region region, int copies, DoubleSupplier source) {
    float[] all = values(region);
    Arrays.fill(all, 0);
    for (int copy = 0; copy < copies; copy++) {
      for (Tensor tensor : tensors) {
        for (int i = 0; i < tensor.size(); i++) {
          all[copy * parameterSize + tensor.offset() + i] = (float) source.getAsDouble();
        }
      }
    }
  }

  /** One step on a minibatch; fails where what is none of {@code outputs} is not as it was. */
  StepResult step(Rows rows, String what, Matrix... outputs) {
    for (Region region : REGIONS) {
      session().write(region, values(region));
    }
    SlotFiller.fill(slot, sequence++, rows, 0);
    byte[] slotBefore = slot.memory().toArray(JAVA_BYTE);
    assertThat(session().trySubmit(slot)).as(what).isTrue();
    while (!session().poll(result)) {
      Thread.onSpinWait();
    }
    for (Region region : REGIONS) {
      float[] before = values(region);
      float[] after = new float[before.length];
      session().read(region, after);
      values.put(region, after);
      requireUntouched(what, region, before, rows.count(), outputs);
    }
    requireSlotUntouched(what, slotBefore, rows, Arrays.asList(outputs).contains(features()));
    return result;
  }

  private void requireUntouched(
      String what, Region region, float[] before, int rows, Matrix... outputs) {
    float[] after = values(region);
    boolean[] free = new boolean[after.length];
    for (Matrix matrix : perRow) {
      free(free, region, matrix, rows);
    }
    for (Matrix matrix : outputs) {
      free(free, region, matrix, 0);
    }
    for (int i = 0; i < after.length; i++) {
      if (!free[i] && Float.floatToRawIntBits(after[i]) != Float.floatToRawIntBits(before[i])) {
        fail("%s: %s[%d] was %s and is now %s".formatted(what, region, i, before[i], after[i]));
      }
    }
  }

  private static void free(boolean[] free, Region region, Matrix matrix, int fromColumn) {
    if (matrix.region() == region) {
      int toColumn = matrix.perRow() ? matrix.stride() : matrix.columns();
      for (int line = 0; line < matrix.rows(); line++) {
        Arrays.fill(free, at(matrix, line, fromColumn), at(matrix, line, toColumn), true);
      }
    }
  }

  /** Features behind the valid rows may change, those of rows without weight where they are an output. */
  private void requireSlotUntouched(
      String what, byte[] before, Rows rows, boolean featuresAreOutput) {
    MemorySegment was = MemorySegment.ofArray(before);
    int stride = layout.strideRows();
    for (long at = 0; at < layout.byteSize(); at += Float.BYTES) {
      boolean isFeature = at >= layout.featureOffset(0) && at < layout.labelOffset();
      int row = (int) ((at - layout.featureOffset(0)) / Float.BYTES % stride);
      boolean free =
          isFeature && (row >= rows.count() || (featuresAreOutput && rows.weights()[row] == 0));
      if (!free
          && slot.memory().get(JAVA_INT, at)
              != was.get(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, at)) {
        fail("%s: the slot has changed at byte %d".formatted(what, at));
      }
    }
  }

  TrainingState state() {
    TrainingState state = new TrainingState(session().program().metrics());
    session().read(state);
    return state;
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
    }
    memory.close();
  }
}
