package io.penstock.trainer.model;

/**
 * Where the sums of a label of classes lie, in offsets from the first sum, behind {@link TrainingState#SUM_LOG_LOSS}.
 * evaluate.cuh has the same
 * for baselines that are not late.
 *
 * @param classes 2 or more
 * @param late of {@link MetricsSpec}
 */
record ClassSums(int classes, boolean late) {
  private static final int BY_CLASS = 5;

  /** Rows of each true class. */
  int actual() {
    return TrainingState.SUM_BY_CLASS;
  }

  /** Rows of each predicted class. */
  int predicted() {
    return actual() + classes;
  }

  /** Rows of each true class that was that of the row before. */
  int noChangeRight() {
    return actual() + 2 * classes;
  }

  /** Rows of each class that was the most frequent before them. */
  int majoritySaid() {
    return actual() + 3 * classes;
  }

  /** Rows of each true class that was the most frequent before them. */
  int majorityRight() {
    return actual() + 4 * classes;
  }

  /** Rows by true class, and by predicted class within; of too many classes, the rows of each that were predicted right. */
  int cells() {
    return actual() + BY_CLASS * classes;
  }

  int cellCount() {
    return isConfusionKept() ? classes * classes : classes;
  }

  boolean isConfusionKept() {
    return classes <= Confusion.MOST_CLASSES;
  }

  /** Rows of a true class that were predicted right. */
  int right(int c) {
    return cells() + (isConfusionKept() ? c * (classes + 1) : c);
  }

  /** What was said in each bin of the probability, less what came true, summed up. */
  int gaps() {
    return cells() + cellCount();
  }

  /** Of two classes, rows of class 0 in each bin of the score; behind them, those of class 1. */
  int bins() {
    return gaps() + ScoreBins.PROBABILITIES;
  }

  /** Where baselines are late, rows of which the no-change baseline said a class; it follows from the true classes otherwise. */
  int noChangeSaid() {
    return bins() + (classes == 2 ? 2 * ScoreBins.COUNT : 0);
  }

  int size() {
    return noChangeSaid() + (late ? classes : 0);
  }
}
