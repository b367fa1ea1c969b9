package io.penstock.app;

import io.penstock.config.Precision;
import io.penstock.trainer.device.StepShape;
import java.util.ArrayList;
import java.util.List;

/** What {@code penstock bench gpu} measures: of an emulator next to nothing, so that it is over soon. */
final class GpuGrid {
  /** A step at a precision. */
  record Point(StepShape shape, Precision precision) {}

  private static final List<Integer> LARGE = List.of(1024, 4096, 4096, 1024, 16);
  private static final List<List<Integer>> SMALL =
      List.of(List.of(54, 7), List.of(54, 64, 7), List.of(54, 256, 128, 7));
  private static final List<Integer> MEDIUM = List.of(784, 512, 512, 10);
  private static final int[] BATCHES = {32, 256, 1024};
  private static final StepShape TINY = new StepShape(List.of(9, 8, 3), 16);

  /** The step that must take 20 µs at most. */
  static final StepShape QUICK = new StepShape(List.of(54, 64, 7), 256);

  /** The step whose products must take most of it. */
  static final StepShape HEAVY = new StepShape(LARGE, 8192);

  private GpuGrid() {}

  /** Whether a model is one of the small ones, whose points must be twice as fast as PyTorch's. */
  static boolean isSmall(List<Integer> dims) {
    return SMALL.contains(dims);
  }

  /** The grid, small models first. */
  static List<Point> steps(boolean emulated) {
    if (emulated) {
      return List.of(new Point(TINY, Precision.FLOAT32), new Point(TINY, Precision.TF32));
    }
    List<Point> points = new ArrayList<>();
    for (StepShape shape : cpu(false)) {
      points.add(new Point(shape, Precision.FLOAT32));
    }
    for (Precision precision : List.of(Precision.TF32, Precision.FLOAT32)) {
      for (int batch : new int[] {1024, 8192, 32768}) {
        points.add(new Point(new StepShape(LARGE, batch), precision));
      }
    }
    return points;
  }

  /** The part of it that a processor can do in the time. */
  static List<StepShape> cpu(boolean emulated) {
    if (emulated) {
      return List.of(TINY);
    }
    List<StepShape> shapes = new ArrayList<>();
    for (List<Integer> dims : SMALL) {
      for (int batch : BATCHES) {
        shapes.add(new StepShape(dims, batch));
      }
    }
    for (int batch : BATCHES) {
      shapes.add(new StepShape(MEDIUM, batch));
    }
    return shapes;
  }

  /** Steps long enough to hide a copy behind, the largest slot last. */
  static List<Point> streaming(boolean emulated) {
    return emulated
        ? List.of(new Point(TINY, Precision.FLOAT32))
        : List.of(
            new Point(new StepShape(List.of(256, 2048, 2048, 16), 2048), Precision.FLOAT32),
            new Point(new StepShape(LARGE, 1024), Precision.FLOAT32),
            new Point(new StepShape(LARGE, 1024), Precision.TF32),
            new Point(HEAVY, Precision.BF16),
            new Point(HEAVY, Precision.TF32));
  }

  /** Steps whose products are timed alone. */
  static List<Point> products(boolean emulated) {
    StepShape shape = emulated ? TINY : HEAVY;
    return List.of(new Point(shape, Precision.TF32), new Point(shape, Precision.BF16));
  }
}
