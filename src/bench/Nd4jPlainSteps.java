import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.custom.LogSumExp;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinear;
import org.nd4j.linalg.api.ops.impl.scalar.Step;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.api.ops.impl.updaters.AdamUpdater;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The training step of {@code penstock bench steps} written with ND4J's Java interface as its users write it, on arrays made
 * before: forward, softmax cross entropy with loss and predictions, backward, Adam. Of several ways to say a thing, the one
 * that was fastest when tried: ReLU's gradient by a step and a product instead of relu_bp, sums over rows by gemm with ones
 * instead of sum. Prints JSON lines of the same form. See nd4j_steps.sh.
 */
public final class Nd4jPlainSteps {
  private static final int[][] MODELS = {
    {54, 7}, {54, 64, 7}, {54, 256, 128, 7}, {784, 512, 512, 10}
  };
  private static final int[] BATCHES = {32, 256, 1024};

  private final int n;
  private final INDArray[] a;
  private final INDArray[] w;
  private final INDArray[] b;
  private final INDArray[] dw;
  private final INDArray[] db;
  private final INDArray[] d;
  private final INDArray[] slope;
  private final INDArray truth;
  private final INDArray ones;
  private final INDArray p;
  private final INDArray g;
  private final INDArray m;
  private final INDArray v;
  private final INDArray update;
  private int steps;
  double loss;
  INDArray predictions;

  private Nd4jPlainSteps(int[] dims, int batch) {
    Random random = new Random(1);
    n = dims.length - 1;
    a = new INDArray[n + 1];
    w = new INDArray[n];
    b = new INDArray[n];
    dw = new INDArray[n];
    db = new INDArray[n];
    d = new INDArray[n + 1];
    slope = new INDArray[n + 1];
    long size = 0;
    for (int i = 0; i < n; i++) {
      size += (long) dims[i] * dims[i + 1] + dims[i + 1];
    }
    p = Nd4j.create(DataType.FLOAT, size);
    g = Nd4j.create(DataType.FLOAT, size);
    m = Nd4j.create(DataType.FLOAT, size);
    v = Nd4j.create(DataType.FLOAT, size);
    update = Nd4j.create(DataType.FLOAT, size);
    long at = 0;
    for (int i = 0; i < n; i++) {
      long weights = (long) dims[i] * dims[i + 1];
      w[i] = part(p, at, weights, dims[i], dims[i + 1]);
      dw[i] = part(g, at, weights, dims[i], dims[i + 1]);
      at += weights;
      b[i] = part(p, at, dims[i + 1], 1, dims[i + 1]);
      db[i] = part(g, at, dims[i + 1], 1, dims[i + 1]);
      at += dims[i + 1];
      w[i].assign(Nd4j.randn(DataType.FLOAT, dims[i], dims[i + 1]).muli(Math.sqrt(2.0 / dims[i])));
    }
    a[0] = Nd4j.randn(DataType.FLOAT, batch, dims[0]);
    for (int i = 1; i <= n; i++) {
      a[i] = Nd4j.create(DataType.FLOAT, batch, dims[i]);
      d[i] = Nd4j.create(DataType.FLOAT, batch, dims[i]);
      slope[i] = Nd4j.create(DataType.FLOAT, batch, dims[i]);
    }
    truth = Nd4j.create(DataType.FLOAT, batch, dims[n]);
    for (int row = 0; row < batch; row++) {
      truth.putScalar(row, random.nextInt(dims[n]), 1);
    }
    ones = Nd4j.ones(DataType.FLOAT, 1, batch);
  }

  private static INDArray part(INDArray all, long at, long size, long rows, long columns) {
    return all.get(org.nd4j.linalg.indexing.NDArrayIndex.interval(at, at + size))
        .reshape('c', rows, columns);
  }

  private void step() {
    for (int i = 0; i < n; i++) {
      Nd4j.gemm(a[i], w[i], a[i + 1], false, false, 1, 0);
      a[i + 1].addiRowVector(b[i]);
      if (i + 1 < n) {
        Nd4j.exec(new RectifiedLinear(a[i + 1], a[i + 1], 0));
      }
    }
    predictions = a[n].argMax(1);
    INDArray logs = Nd4j.exec(new LogSumExp(a[n], false, 1))[0];
    loss = logs.sumNumber().doubleValue() - a[n].mul(truth).sumNumber().doubleValue();
    Nd4j.exec(new SoftMax(a[n], d[n], 1));
    d[n].subi(truth);
    d[n].divi(a[0].rows());
    for (int i = n - 1; i >= 0; i--) {
      Nd4j.gemm(a[i], d[i + 1], dw[i], true, false, 1, 0);
      Nd4j.gemm(ones, d[i + 1], db[i], false, false, 1, 0);
      if (i > 0) {
        Nd4j.gemm(d[i + 1], w[i], d[i], false, true, 1, 0);
        Nd4j.exec(new Step(a[i], slope[i], 0));
        d[i].muli(slope[i]);
      }
    }
    Nd4j.exec(new AdamUpdater(g, v, m, update, v, m, 1e-3, 0.9, 0.999, 1e-8, steps++));
    p.subi(update);
  }

  public static void main(String[] arguments) {
    for (int[] dims : MODELS) {
      for (int batch : BATCHES) {
        Nd4jPlainSteps model = new Nd4jPlainSteps(dims, batch);
        System.out.printf(
            Locale.ROOT,
            "{\"peer\": \"nd4j plain\", \"dims\": %s, \"batch\": %d, \"stepMicros\": %.1f}%n",
            Arrays.toString(dims),
            batch,
            model.median() / 1e3);
      }
    }
  }

  /** As StepBenchmark measures: a second to warm up, then the median of 31 rounds of 20 ms. */
  private double median() {
    int count = 1;
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < 1_000_000_000) {
      count = (int) Math.clamp(count * 20e6 / Math.max(1, time(count)), 1, 100_000);
    }
    double[] rounds = new double[31];
    for (int i = 0; i < rounds.length; i++) {
      rounds[i] = (double) time(count) / count;
    }
    Arrays.sort(rounds);
    return rounds[rounds.length / 2];
  }

  private long time(int count) {
    long begin = System.nanoTime();
    for (int i = 0; i < count; i++) {
      step();
    }
    return System.nanoTime() - begin;
  }
}
