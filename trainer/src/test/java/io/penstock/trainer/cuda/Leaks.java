package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.trainer.cuda.EmulatedCuda.Count;
import java.util.List;

/** What must be so when all sessions and slots are closed. */
final class Leaks {
  private static final List<Count> NONE =
      List.of(
          Count.DEVICE_LIVE,
          Count.PINNED_LIVE,
          Count.STREAM_LIVE,
          Count.EVENT_LIVE,
          Count.GRAPH_LIVE,
          Count.MODULE_LIVE,
          Count.CUBLAS_LIVE,
          Count.CORRUPTED,
          Count.MISUSES,
          Count.CONTEXTS,
          Count.LIVE_BYTES);

  private Leaks() {}

  static void requireNone(EmulatedCuda cuda) {
    for (Count count : NONE) {
      assertThat(cuda.count(count)).as("%s", count).isZero();
    }
  }
}
