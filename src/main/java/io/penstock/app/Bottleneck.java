package io.penstock.app;

import io.penstock.app.RunSnapshot.Stage;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which stage holds the run back: the busiest one, since those before it are blocked and those behind it starve. Where even
 * the busiest is idle most of the time, it is the source that sends no faster.
 *
 * @param stage name of the stage, or {@code source}
 * @param busyShare how busy it is; for the source, how busy the busiest stage is
 * @param gain bound on how many times faster the run would be without this limit: until the next stage is the limit, or for
 *     the source, until the busiest stage is; infinite where no other stage does anything
 * @param next the stage that would limit the run then
 */
record Bottleneck(String stage, double busyShare, double gain, @Nullable String next) {
  static final String SOURCE = "source";
  private static final double LIMITING = 0.5;

  static Bottleneck of(RunSnapshot run) {
    return of(run.stages(), run.seconds());
  }

  static Bottleneck of(List<Stage> stages, double seconds) {
    List<Stage> busiest =
        stages.stream()
            .sorted(Comparator.comparingDouble((Stage s) -> s.busyShare(seconds)).reversed())
            .toList();
    if (busiest.isEmpty()) {
      return new Bottleneck(SOURCE, 0, Double.POSITIVE_INFINITY, null);
    }
    Stage first = busiest.getFirst();
    double share = first.busyShare(seconds);
    if (share < LIMITING) {
      return new Bottleneck(SOURCE, share, 1 / share, first.name());
    }
    if (busiest.size() == 1) {
      return new Bottleneck(first.name(), share, Double.POSITIVE_INFINITY, null);
    }
    Stage second = busiest.get(1);
    return new Bottleneck(first.name(), share, share / second.busyShare(seconds), second.name());
  }

  /** The verdict for a person. */
  String sentence() {
    if (stage.equals(SOURCE)) {
      return next == null || busyShare == 0
          ? "the source: no stage was busy"
          : "the source: it sends no faster. The busiest stage, %s, was busy %s of the time and could take up to %s as much"
              .formatted(next, Texts.percent(busyShare), times());
    }
    String verdict = "%s, busy %s of the time".formatted(stage, Texts.percent(busyShare));
    return next == null || Double.isInfinite(gain)
        ? verdict
        : verdict
            + ". Without this limit the run would be at most %s as fast; then %s is the limit"
                .formatted(times(), next);
  }

  private String times() {
    return gain >= 100 ? "100 times" : "%.1f times".formatted(gain);
  }
}
