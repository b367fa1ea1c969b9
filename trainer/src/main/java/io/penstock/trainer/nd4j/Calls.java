package io.penstock.trainer.nd4j;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.bytedeco.javacpp.BooleanPointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.OpaqueContext;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/**
 * Operations of ND4J, one behind the other, each with its operands set; results go where they are told to, an operand included.
 * Those that the library knows by name run through a context that is filled once; a few older ones have numbers only.
 */
final class Calls implements AutoCloseable {
  /** Numbers of {@code transform_same}, {@code transform_strict}, {@code transform_float} and {@code scalar} operations. */
  static final int SAME_ABS = 0;

  static final int SAME_SIGN = 1;
  static final int SAME_NEGATIVE = 3;
  static final int SAME_TIMES_ONE_MINUS = 5;
  static final int SAME_ONE_MINUS = 7;
  static final int STRICT_EXP = 23;
  static final int STRICT_LOG = 24;
  static final int FLOAT_SQRT = 1;
  static final int SCALAR_STEP = 41;

  /** Nothing beside any other number that is not 0. */
  static final double TINY = 1e-30;

  private final Library library;
  private final NativeOps ops;
  private final Streams streams;
  private final List<OpaqueContext> contexts = new ArrayList<>();
  private final List<Kernel> kernels = new ArrayList<>();

  Calls(Library library, Streams streams) {
    this.library = library;
    this.streams = streams;
    ops = library.ops();
  }

  /** What was added since the last time. */
  Kernel[] take() {
    Kernel[] taken = kernels.toArray(Kernel[]::new);
    kernels.clear();
    return taken;
  }

  void add(Kernel kernel) {
    kernels.add(kernel);
  }

  /** Makes what is added meanwhile run only in some steps. */
  void where(Predicate<Step> condition, Runnable additions) {
    List<Kernel> before = List.copyOf(kernels);
    kernels.clear();
    additions.run();
    Kernel[] conditional = take();
    kernels.addAll(before);
    kernels.add(
        step -> {
          if (condition.test(step)) {
            for (Kernel kernel : conditional) {
              kernel.run(step);
            }
          }
        });
  }

  /** z = x + y; here and below, one of both may have one line, one column or one value for all. */
  void add(Array x, Array y, Array z) {
    named("add", of(x, y), z);
  }

  void subtract(Array x, Array y, Array z) {
    named("subtract", of(x, y), z);
  }

  void multiply(Array x, Array y, Array z) {
    named("multiply", of(x, y), z);
  }

  void divide(Array x, Array y, Array z) {
    named("divide", of(x, y), z);
  }

  /** z = x / y, where 0 / 0 is 1; y is overwritten. */
  void ratio(Array x, Array y, Array z, Array tiny) {
    add(x, tiny, z);
    add(y, tiny, y);
    divide(z, y, z);
  }

  void maximum(Array x, Array y, Array z) {
    named("maximum", of(x, y), z);
  }

  /** z = x where {@code kept} is 1, and 0 where it is 0, whatever x is there. */
  void select(Array x, Array kept, Array z) {
    named("divide_no_nan", of(x, kept), z);
  }

  /** y += a x; the library's axpy adds its second operand, scaled, to its first. */
  void axpy(double a, Array x, Array y) {
    named("axpy", of(y, x), y, new double[] {a});
  }

  /** c = a b. */
  void matmul(Array a, Array b, Array c) {
    named("matmul", of(a, b), c, new double[] {1, 0}, 0, 0, 0);
  }

  void relu(Array x, Array z) {
    named("relu", of(x), z, new double[] {0});
  }

  void sigmoid(Array x, Array z) {
    named("sigmoid", of(x), z);
  }

  void clip(Array x, double low, double high, Array z) {
    named("clipbyvalue", of(x), z, new double[] {low, high});
  }

  /** Of each column. */
  void sumLines(Array x, Array z) {
    named("reduce_sum", of(x), z, new double[0], 0);
  }

  /** Of each column. */
  void maxLines(Array x, Array z) {
    named("reduce_max", of(x), z, new double[0], 0);
  }

  /** Index of each column's first largest value. */
  void argmaxLines(Array x, Array z) {
    named("argmax", of(x), z, new double[0], 0);
  }

  void toFloat(Array x, Array z) {
    named("to_float32", of(x), z);
  }

  /** A line for each class: 1 in the columns of that class, else 0. */
  void oneHot(Array classes, int count, Array z) {
    named("onehot", of(classes), z, new double[] {1, 0}, 0, count);
  }

  void same(int number, Array x, Array z) {
    transform(ops::execTransformSame, number, x, z);
  }

  void strict(int number, Array x, Array z) {
    transform(ops::execTransformStrict, number, x, z);
  }

  void sqrt(Array x, Array z) {
    transform(ops::execTransformFloat, FLOAT_SQRT, x, z);
  }

  /** One of the library's families of operations that go by number: value by value, from one array to another. */
  private interface Transform {
    void run(
        @Nullable PointerPointer<Pointer> extras,
        int number,
        OpaqueDataBuffer x,
        LongPointer shapeOfX,
        @Nullable LongPointer deviceShapeOfX,
        OpaqueDataBuffer z,
        LongPointer shapeOfZ,
        @Nullable LongPointer deviceShapeOfZ,
        @Nullable Pointer parameters);
  }

  private void transform(Transform family, int number, Array x, Array z) {
    kernels.add(
        step ->
            family.run(
                streams.extras(),
                number,
                x.buffer(),
                x.shape(),
                (LongPointer) x.deviceShape(),
                z.buffer(),
                z.shape(),
                (LongPointer) z.deviceShape(),
                null));
  }

  /** z = 1 where x is above {@code bound}, else 0. */
  void step(Array x, Array bound, Array z) {
    kernels.add(
        step ->
            ops.execScalar(
                streams.extras(),
                SCALAR_STEP,
                x.buffer(),
                x.shape(),
                (LongPointer) x.deviceShape(),
                z.buffer(),
                z.shape(),
                (LongPointer) z.deviceShape(),
                bound.buffer(),
                bound.shape(),
                (LongPointer) bound.deviceShape(),
                null));
  }

  private static Array[] of(Array... arrays) {
    return arrays;
  }

  private void named(String name, Array[] inputs, Array output) {
    named(name, inputs, output, new double[0]);
  }

  private void named(
      String name, Array[] inputs, Array output, double[] numbers, long... integers) {
    long hash = library.hash(name);
    OpaqueContext context = ops.createGraphContext(1);
    contexts.add(context);
    for (int i = 0; i < inputs.length; i++) {
      Array x = inputs[i];
      ops.setGraphContextInputBuffer(context, i, x.buffer(), x.shape(), x.deviceShape());
    }
    ops.setGraphContextOutputBuffer(
        context, 0, output.buffer(), output.shape(), output.deviceShape());
    if (numbers.length > 0) {
      try (DoublePointer values = new DoublePointer(numbers)) {
        ops.setGraphContextTArguments(context, values, numbers.length);
      }
    }
    if (integers.length > 0) {
      try (LongPointer values = new LongPointer(integers)) {
        ops.setGraphContextIArguments(context, values, integers.length);
      }
    }
    if (name.startsWith("reduce_")) {
      try (BooleanPointer keepDimensions = new BooleanPointer(false)) {
        ops.setGraphContextBArguments(context, keepDimensions, 1);
      }
    }
    // The output is there; nobody need work out its shape anew.
    ops.ctxShapeFunctionOverride(context, true);
    kernels.add(
        step -> {
          if (ops.execCustomOp2(null, hash, context) != 0) {
            throw new IllegalStateException("nd4j: " + name + ": " + ops.lastErrorMessage());
          }
        });
  }

  @Override
  public void close() {
    contexts.forEach(ops::deleteGraphContext);
    contexts.clear();
  }
}
